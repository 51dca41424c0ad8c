"""What every module keeps to: it says what it is for, it fits a sitting, money is never a float."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.source_tree import for_each, modules, name_of, parsed, text_files

LONGEST_FUNCTION_LINES = 70
LONGEST_FILE_LINES = 400

Function = ast.FunctionDef | ast.AsyncFunctionDef

every_module = for_each(modules())

# Each is written in parts, so that this file does not hold what it looks for.
REGISTRY_HOSTS = re.compile(r"(py|python|registry|ana)" r"(pi\.org|hosted\.org|\.npmjs|conda\.org)")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(" + "|".join(("root", "work", "home", "Users")) + r")/\w")


def _functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _public(tree: ast.Module) -> Iterator[ast.ClassDef | Function]:
    """Public classes and functions of a module, and public methods of public classes."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                for member in node.body:
                    if isinstance(member, Function) and not member.name.startswith("_"):
                        yield member


@every_module
def test_a_module_says_what_it_is_for(path: Path) -> None:
    if parsed(path).body:
        assert ast.get_docstring(parsed(path))


@every_module
def test_every_public_name_is_explained(path: Path) -> None:
    assert [node.name for node in _public(parsed(path)) if not ast.get_docstring(node)] == []


@every_module
def test_a_file_fits_a_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE_LINES


@every_module
def test_a_function_fits_a_screen(path: Path) -> None:
    too_long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in _functions(parsed(path))
        if node.end_lineno is not None and node.end_lineno - node.lineno >= LONGEST_FUNCTION_LINES
    ]
    assert not too_long


@every_module
def test_names_say_what_things_do(path: Path) -> None:
    vague = re.compile(r"(Manager|Helper|Utils?)$")
    classes = [node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
    assert not [name for name in classes if vague.search(name)]
    assert not re.search(r"(manager|helper|utils?)s?\.py$", path.name)


@every_module
def test_nothing_is_left_to_do_and_no_exception_is_swallowed_unexplained(path: Path) -> None:
    assert not re.search("TO" r"DO|FIX" r"ME|X" r"XX", path.read_text(encoding="utf-8"))
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno} catches everything"
            first = node.body[0]
            unexplained = isinstance(first, ast.Pass) and first.lineno == node.lineno + 1
            assert not unexplained, f"line {node.lineno} swallows an exception without saying why"


@for_each(modules("domain"))
def test_the_domain_has_no_floats(path: Path) -> None:
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Call(func=ast.Name(id="float")) | ast.BinOp(op=ast.Div()):
                raise AssertionError(f"line {node.lineno} makes a float")
            case ast.Constant(value=float()):
                raise AssertionError(f"line {node.lineno} is a float")
            case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=ast.expr() as annotation):
                assert "float" not in ast.unparse(annotation), f"line {node.lineno}"
            case ast.FunctionDef(returns=ast.expr() as returns):
                assert "float" not in ast.unparse(returns), f"line {node.lineno}"


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if REGISTRY_HOSTS.search(line) or MACHINE_PATHS.search(line)
    ]
    assert found == []
