"""`loan-reminders`: one command for all, French in every word, and a status that says how it ended."""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from loan_reminders import commands
from loan_reminders.commands.french_arguments import SENTENCES, FrenchParser, day
from loan_reminders.commands.registry import COMMANDS, command_parser, main
from loan_reminders.settings.library_toml import ROOT

ENGLISH = re.compile(r"\b(usage: |options:.*show|show this|exit\b|error:|invalid|expected|required|arguments:$)", re.M)
FOR_PROGRAMMERS = {
    ".__call__() not defined", "conflicting subparser: %s", "conflicting subparser alias: %s",
    "unknown parser %(parser_name)r (choices: %(choices)s)", 'argument "-" with mode %r',
    "cannot merge actions - two groups are named %r", "'required' is an invalid argument for positionals",
    "invalid option string %(option)r: must start with a character %(prefix_chars)r",
    "dest= is required for options like %r", "invalid conflict_resolution value: %r", "conflicting option string: %s",
    "conflicting option strings: %s", "mutually exclusive arguments must be optional",
    "cannot have multiple subparser arguments", "%r is not callable", "subcommands",
}  # fmt: skip
"""What argparse says to whoever writes a parser with a mistake in it."""


def said(capsys, *words):
    """The status of a command line and what it wrote, on both outputs."""
    try:
        status = main(words)
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_every_sentence_that_argparse_may_say_is_french():
    asked = {
        ast.literal_eval(word)
        for call in ast.walk(ast.parse(inspect.getsource(argparse)))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("_", "ngettext")
        for word in call.args
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    }
    assert len(asked) > 25
    assert asked - set(SENTENCES) - FOR_PROGRAMMERS == set()


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_the_help_is_french_and_needs_no_settings(name, capsys, monkeypatch):
    monkeypatch.setenv("REMINDERS_CONFIG", "/nowhere/library.toml")
    status, out, err = said(capsys, *([name] if name else []), "--help")
    assert (status, err) == (0, "")
    assert out.startswith("usage : ")
    assert "afficher cette aide" in out
    assert not ENGLISH.search(out)
    if name:
        assert " ".join(COMMANDS[name].summary.split()) in " ".join(out.split())
    else:
        assert all(f"  {each} " in out for each in COMMANDS)


def test_every_module_of_the_folder_is_a_command_or_serves_them_all():
    folder = Path(inspect.getfile(commands)).parent
    modules = {path.stem for path in folder.glob("[!_]*.py")}
    modules |= {
        f"{room}.{path.stem}" for room in ("reader_rights", "statistics") for path in folder.glob(f"{room}/[!_]*.py")
    }
    shared = {"registry", "french_arguments", "reader_rights.for_a_reader", "reader_rights.output_file"}
    assert modules - shared == {command.module for command in COMMANDS.values()}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nope"], "choix inconnu : 'nope' (possibles : 'check-settings', "),
        (["migrate"], "il manque : action"),
        (["migrate", "sideways"], "argument action : choix inconnu : 'sideways'"),
        (["migrate", "current", "--urll"], "arguments inconnus : --urll"),
        (["migrate", "current", "--url"], "argument --url : une valeur est attendue"),
        (["check-ils", "--day", "demain"], "un jour est attendu, par exemple 2026-11-30, et non « demain »"),
        (["dispute-file", "--sortie", "x.pdf"], "l'un de ces arguments est obligatoire : --pret --code-barres"),
        (["dispute-file", "--sortie", "x.pdf", "--pret", "1", "--reference", "2"], "incompatible avec"),
        (["check-settings", "--help=1"], "valeur '1' en trop"),
        (["dispute-file", "--re", "2"], "option ambiguë : --re peut être --reference, --recommande"),
    ],
)
def test_a_line_that_cannot_be_understood_ends_with_2_and_says_why(words, told, capsys):
    status, out, err = said(capsys, *words)
    assert (status, out) == (2, "")
    assert told in err
    assert " : erreur : " in err
    assert not ENGLISH.search(err)


def test_without_a_command_the_help_is_told_as_an_error(capsys):
    status, out, err = said(capsys)
    assert (status, out) == (2, "")
    assert "commandes :" in err


def test_other_programs_keep_their_language(capsys):
    command_parser("migrate").format_help()
    with pytest.raises(SystemExit):
        argparse.ArgumentParser(prog="x").parse_args(["--nope"])
    assert "unrecognized arguments: --nope" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        FrenchParser(prog="x", description="").parse_args(["--nope"])
    assert "arguments inconnus : --nope" in capsys.readouterr().err


def test_a_day():
    assert day("2026-11-30") == date(2026, 11, 30)


def test_the_status_of_a_command_is_that_of_the_process(tmp_path):
    wrong = tmp_path / "library.toml"
    wrong.write_text("nope = 1\n")
    for path, status in ((wrong, 1), (ROOT / "library.toml", 0)):
        done = subprocess.run(
            [sys.executable, "-m", "loan_reminders", "check-settings"],
            env={**os.environ, "REMINDERS_CONFIG": str(path), "PYTHONPATH": str(ROOT / "plugins")},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status
        assert "Traceback" not in done.stderr
