"""Every button of a page: its form is filled in as far as the page asks, sent once, and what came is judged."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Download, Page, Response

from tests.browser.walk import kind_of

_FORMS = """() => [...document.forms].map((form, index) => ({
    index, action: form.getAttribute('action') === null ? location.pathname : new URL(form.action).pathname,
    method: form.method,
    buttons: [...form.querySelectorAll('button, input[type=submit]')]
        .filter(button => !button.disabled && (button.type === 'submit'))
        .map(button => [button.textContent.trim() || button.value || button.ariaLabel || '', button.name, button.value])
}))"""
_FILL = """([index, words]) => {
    const form = document.forms[index];
    for (const field of form.elements) {
        if (field.readOnly || field.disabled || field.type === 'hidden') continue;
        if (field.type === 'date' && !field.value) field.value = words.day;
        else if (field.type === 'radio') {
            if (!form.querySelector(`input[name="${field.name}"]:checked`)) field.checked = true;
        }
        else if (field.type === 'checkbox' && field.required) field.checked = true;
        else if (field.tagName === 'SELECT' && !field.value) {
            const option = [...field.options].find(one => one.value); if (option) field.value = option.value;
        } else if (['text', 'search', 'textarea', 'email', 'tel', 'number'].includes(field.type) && !field.value)
            field.value = field.type === 'number' ? '1' : words.text;
    }
    for (const details of document.querySelectorAll('details')) details.open = true;
}"""


@dataclass(frozen=True, slots=True)
class Pressed:
    """One button that was pressed: where, its words, and the status of what it led to (200 for a file)."""

    page: str
    words: str
    status: int
    led_to: str
    file: str = ""


def buttons(page: Page) -> list[tuple[int, str, str, str]]:
    """The buttons of a page: the place of the form, the button's own, what it is for, and its words."""
    return [
        (form["index"], place, f"{form['method']} {kind_of(form['action'])} {name}={value if name else ''}", words)
        for form in page.evaluate(_FORMS)
        for place, (words, name, value) in enumerate(form["buttons"])
    ]


def press(page: Page, form: int, place: int, words: str, *, text: str, day: str) -> Pressed:
    """Fill the form in and press the button; the page then shows what came of it."""
    page.evaluate(_FILL, [form, {"text": text, "day": day}])
    where, asked = page.url, page.locator("form").nth(form)
    for file in asked.locator("input[type=file]").all():
        file.set_input_files({"name": "fichier.csv", "mimeType": "text/csv", "buffer": f"reference\n{text}\n".encode()})
    button = asked.locator("button, input[type=submit]").nth(place)
    answers: list[Response] = []
    files: list[Download] = []

    def answered(response: Response) -> None:
        if response.request.is_navigation_request() and response.frame == page.main_frame:
            answers.append(response)

    def downloaded(file: Download) -> None:
        files.append(file)

    page.on("response", answered)
    page.on("download", downloaded)
    try:
        button.click(no_wait_after=True)
        for _ in range(600):
            if files or (answers and not 300 <= answers[-1].status < 400):
                break
            page.wait_for_timeout(50)
        page.wait_for_load_state("load")
    finally:
        page.remove_listener("response", answered)
        page.remove_listener("download", downloaded)
    status = answers[-1].status if answers else 0
    name = files[0].suggested_filename if files else ""
    return Pressed(page=where, words=words, status=status, led_to=page.url, file=name)
