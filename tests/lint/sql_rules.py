"""The house's own lint of a statement in `sql/`, over the words and the tree that sqlglot reads.

sqlglot is a parser, not a judge: it takes LIMIT, booleans and other engines' words for Oracle. What a statement may
hold is therefore listed in `sql_engines`; here are the rules that no list can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from loan_reminders.domain.runs.reading.consent import OPTIONAL_COLUMNS
from tests.lint.sql_engines import Engine, reserved_words

_BEFORE_A_BRACKET = frozenset({
    "AND", "AS", "BETWEEN", "BY", "CASE", "ELSE", "EXISTS", "FROM", "IN", "JOIN", "LATERAL", "NOT", "ON", "OR", "OVER",
    "SELECT", "THEN", "UNION", "WHEN", "WHERE",
})  # fmt: skip
"""Words that stand before a bracket and are no function."""
_TYPES = frozenset({"CHAR", "DECIMAL", "NUMERIC", "VARCHAR", "VARCHAR2", "NUMBER"})
_CLAUSES = {
    "SELECT": "select", "FROM": "from", "JOIN": "from", "ON": "on", "WHERE": "where", "ORDER": "order",
    "GROUP": "group",
}  # fmt: skip
_PREDICATES = (exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Is,
               exp.Exists)  # fmt: skip


def faults(sql: str, engine: Engine, *, binds: frozenset[str], columns: Sequence[str]) -> list[str]:
    """What is wrong with a statement, a few words each; `binds` it must name, all, and `columns` return, in order.

    After those of the contract, the columns that need not be there may follow.
    """
    try:
        words = sqlglot.tokenize(sql, read=engine.name)
    except SqlglotError as error:
        return [f"cannot be read: {str(error).splitlines()[0]}"]
    found = list(_of_words(sql, words, engine))
    try:
        trees = sqlglot.parse(sql, read=engine.name, error_level=sqlglot.ErrorLevel.RAISE)
    except SqlglotError as error:
        return [*found, f"cannot be read: {str(error).splitlines()[0]}"]
    if len(trees) != 1 or not isinstance(trees[0], exp.Select):
        return [*found, "it is not one SELECT"]
    tree = trees[0]
    found += _of_tree(tree, engine)
    named = {node.name.lower() for node in tree.find_all(exp.Placeholder)}
    found += [f"bind {name} is not declared" for name in sorted(named - binds)]
    found += [f"bind {name} is not used" for name in sorted(binds - named)]
    returned = [name.lower() for name in tree.named_selects]
    contract = returned[: len(columns)]
    further = [name for name in returned[len(columns) :] if len(columns) == 1 or name not in OPTIONAL_COLUMNS]
    if contract != list(columns) or further:
        found.append(f"the columns are not those of the contract: {', '.join(returned)}")
    return found


def _of_words(sql: str, words: Sequence[Token], engine: Engine) -> Iterator[str]:
    """Rules about the text, which the tree has forgotten."""
    if "/*+" in sql or "/*!" in sql:
        yield "a comment that a server obeys"
    clause = [""]
    for place, word in enumerate(words):
        after = [follower.text.upper() for follower in words[place + 1 : place + 4]]
        text = word.text.upper()
        if word.token_type in (TokenType.SEMICOLON, TokenType.DCOLON, TokenType.JOIN_MARKER, TokenType.PLACEHOLDER):
            yield f"{word.text} at line {word.line}"
        if text == "==":
            yield f"== at line {word.line}"
        if word.token_type == TokenType.COLON and after and not after[0].isidentifier():
            yield f"a bind without a name at line {word.line}"
        if word.token_type == TokenType.COMMA and after and after[0] in ("FROM", ")"):
            yield f"a comma before {after[0]} at line {word.line}"
        if word.token_type == TokenType.IDENTIFIER or sql[word.start : word.start + 1] in ('"', "`"):
            yield f"a quoted name at line {word.line}"
        if word.token_type == TokenType.DPIPE and not engine.concatenates:
            yield f"|| at line {word.line}"
        if word.token_type == TokenType.STRING and not word.text and not engine.empty_text:
            yield f"the empty text at line {word.line}"
        if text == "DESC" and (after[:2] == ["NULLS", "LAST"]) != engine.says_nulls:
            yield f"DESC {'without' if engine.says_nulls else 'with'} NULLS LAST at line {word.line}"
        if text == "AS" and clause[-1] == "from" and not engine.as_of_tables:
            yield f"AS before the alias of a table at line {word.line}"
        if word.token_type != TokenType.STRING and after[:1] == ["("]:
            yield from _called(word, engine, words[place - 1].text if place else "")
        clause = _follow(clause, word)


def _called(word: Token, engine: Engine, before: str) -> Iterator[str]:
    """A word before a bracket: a function or a type that the engine takes, or a part of the sentence."""
    name = word.text.upper()
    in_a_sentence = name in _BEFORE_A_BRACKET or (name in _TYPES and before.upper() == "AS")
    if word.text.isidentifier() and not in_a_sentence and name not in engine.functions:
        yield f"function {name} at line {word.line}"


def _follow(clause: list[str], word: Token) -> list[str]:
    """The clauses we are in, one for each open bracket."""
    if word.token_type == TokenType.L_PAREN:
        return [*clause, ""]
    if word.token_type == TokenType.R_PAREN:
        return clause[:-1] or [""]
    if word.token_type != TokenType.STRING and word.text.upper() in _CLAUSES:
        return [*clause[:-1], _CLAUSES[word.text.upper()]]
    return clause


def _of_tree(tree: exp.Select, engine: Engine) -> Iterator[str]:
    reserved = reserved_words(engine)
    for node in tree.walk():
        if type(node) not in engine.constructs:
            yield f"construct {type(node).__name__}: {node.sql(dialect=engine.name)[:40]}"
        elif isinstance(node, exp.Identifier):
            if len(node.name) > engine.longest_name:
                yield f"the name {node.name} is longer than {engine.longest_name}"
            if node.name.lower() in reserved:
                yield f"the reserved word {node.name} as a name"
        elif isinstance(node, exp.Placeholder):
            if node.name.lower() in reserved:
                yield f"the reserved word {node.name} as a bind"
        elif isinstance(node, exp.Select):
            yield from _of_select(node)
        elif isinstance(node, exp.Join):
            yield from _of_join(node)
        elif isinstance(node, exp.Cast):
            yield from _of_cast(node, engine)
        elif isinstance(node, exp.Subquery):
            if isinstance(node.parent, (exp.From, exp.Join)) and not node.alias:
                yield "an inline view without a name"
        elif isinstance(node, exp.Div):
            if not isinstance(node.expression, exp.Literal) or "." not in node.expression.name:
                yield "a division whose divisor has no decimal point: engines cut it differently"
        elif isinstance(node, _PREDICATES):
            yield from _of_predicate(node)
        elif isinstance(node, exp.Where) and not _is_predicate(node.this):
            yield f"a value instead of a comparison: {node.this.sql()[:40]}"


def _of_select(node: exp.Select) -> Iterator[str]:
    if not node.args.get("from_") and not node.args.get("from"):
        yield "a SELECT without FROM"
    for name in ("distinct", "limit", "offset", "with_", "qualify", "having"):
        if node.args.get(name) and not isinstance(node.args[name], exp.Fetch):
            yield f"{name} in a SELECT"


def _of_join(node: exp.Join) -> Iterator[str]:
    if node.args.get("using") or node.method or node.kind not in ("", "INNER") or node.side not in ("", "LEFT"):
        yield f"another join than INNER and LEFT … ON: {node.sql()[:40]}"
    elif not node.args.get("on"):
        yield f"a join without ON: {node.sql()[:40]}"


def _of_cast(node: exp.Cast, engine: Engine) -> Iterator[str]:
    kind = node.to.sql(dialect=engine.name).partition("(")[0].upper()
    kind = {"VARCHAR2": "VARCHAR"}.get(kind, kind)
    if kind not in engine.types:
        yield f"a cast to {kind}"
    elif kind in engine.sized and not node.to.expressions:
        yield f"a cast to {kind} without its length"


def _is_predicate(node: exp.Expression) -> bool:
    return _is_predicate(node.this) if isinstance(node, exp.Paren) else isinstance(node, _PREDICATES)


def _of_predicate(node: exp.Expression) -> Iterator[str]:
    """A comparison stands where one is asked for: Oracle knows no boolean value; and so do the parts of AND and OR."""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    asked = isinstance(parent, (exp.Where, exp.And, exp.Or, exp.Not, exp.Join)) or (
        isinstance(parent, exp.If) and not _holds(parent.args.get("true"), node)
    )
    if not asked:
        yield f"a comparison as a value: {node.sql()[:40]}"
    if isinstance(node, (exp.And, exp.Or)):
        for part in (node.this, node.expression):
            if not _is_predicate(part):
                yield f"a value instead of a comparison: {part.sql()[:40]}"
    if isinstance(node, (exp.EQ, exp.NEQ)) and isinstance(node.expression, exp.Null):
        yield "a comparison with NULL"


def _holds(branch: exp.Expression | None, node: exp.Expression) -> bool:
    return branch is not None and any(found is node for found in branch.walk())
