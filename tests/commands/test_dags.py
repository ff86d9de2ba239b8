"""`loan-reminders dags`: the DAG files, where Airflow reads them."""

from __future__ import annotations

import stat

import pytest

from loan_reminders.commands import dags
from loan_reminders.places import DAGS

BY_HAND = "import loan_reminders  # changed by hand\n"
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
    (tmp_path / "watch.py").write_text(BY_HAND)
    (tmp_path / "theirs.py").write_text("# of somebody else\n")
    capsys.readouterr()
    assert dags.main(["--write", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("watch.py.old : le fichier d'avant, qui était différent\n")
    assert (tmp_path / "watch.py").read_bytes() == (DAGS / "watch.py").read_bytes()
    assert (tmp_path / "watch.py.old").read_text() == BY_HAND
    assert (tmp_path / "theirs.py").read_text() == "# of somebody else\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*OURS, "theirs.py", "watch.py.old"])


def test_what_was_kept_at_an_earlier_upgrade_stays(tmp_path, capsys):
    for change in ("1", "2", "2", "3"):
        dags.main(["--write", str(tmp_path)])
        (tmp_path / "watch.py").write_text(BY_HAND + change)
    dags.main(["--write", str(tmp_path)])
    kept = {path.name: path.read_text()[-1] for path in tmp_path.glob("*.old*")}
    assert kept == {"watch.py.old": "1", "watch.py.old-2": "2", "watch.py.old-3": "3"}


def test_a_file_of_somebody_else_by_the_name_of_one_of_ours_stays_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "retention.py").write_text("# of somebody else\n")
    assert dags.main(["--write", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "retention.py" in said
    assert "Les renommer" in said
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"retention.py": "# of somebody else\n"}


def test_each_of_ours_is_known_as_ours():
    assert not [name for name in OURS if b"loan_reminders" not in (DAGS / name).read_bytes()]


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
