"""`loan-reminders dags`: the DAG files, where Airflow reads them."""

from __future__ import annotations

import stat

import pytest

from loan_reminders.commands import dags
from loan_reminders.places import DAGS

OURS = sorted(path.name for path in DAGS.glob("*.py"))


def test_every_dag_is_written_for_all_to_read_and_nothing_else(tmp_path, capsys):
    folder = tmp_path / "new" / "dags"
    assert dags.main(["--write", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == OURS
    assert all((folder / name).read_bytes() == (DAGS / name).read_bytes() for name in OURS)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}
    assert capsys.readouterr().out == f"{len(OURS)} DAG écrits dans {folder}\n"


def test_again_after_an_upgrade_what_differs_is_kept_beside_and_other_files_are_left_alone(tmp_path, capsys):
    dags.main(["--write", str(tmp_path)])
    (tmp_path / "watch.py").write_text("# changed by hand\n")
    (tmp_path / "theirs.py").write_text("# of somebody else\n")
    capsys.readouterr()
    assert dags.main(["--write", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("watch.py.old : le fichier d'avant, qui était différent\n")
    assert (tmp_path / "watch.py").read_bytes() == (DAGS / "watch.py").read_bytes()
    assert (tmp_path / "watch.py.old").read_text() == "# changed by hand\n"
    assert (tmp_path / "theirs.py").read_text() == "# of somebody else\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*OURS, "theirs.py", "watch.py.old"])


def test_a_place_that_cannot_be_written_to_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert dags.main(["--write", str(tmp_path / "file")]) == 1
    assert "écriture impossible" in capsys.readouterr().err


def test_not_over_themselves(capsys):
    with pytest.raises(SystemExit) as end:
        dags.main(["--write", str(DAGS)])
    assert end.value.code == 2
    assert "celui des DAG d'origine" in capsys.readouterr().err


def test_without_a_folder_they_are_listed(capsys):
    assert dags.main([]) == 0
    assert capsys.readouterr().out.splitlines() == [str(DAGS / name) for name in OURS]
