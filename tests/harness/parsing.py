"""Python's own syntax tree of a text."""

import ast
import gc


def parsed(text: str) -> ast.Module:
    """The tree of `text`, made without a collection of garbage on the way.

    Until CPython 3.12 a finalizer that runs while the tree is made ends it with "AST constructor recursion depth mismatch".
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        if was_enabled:
            gc.enable()
