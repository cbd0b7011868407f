"""cfn-lint with its rules read once: they take a third of a second, and serve many templates."""

from __future__ import annotations

from functools import cache

from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.rules import Rules
from cfnlint.runner import Runner
from cfnlint.runner.template import run_template_by_data


@cache
def _rules() -> Rules:
    return Runner(ConfigMixIn()).rules


def findings(
    text: str, *, include: tuple[str, ...] = (), ignore: tuple[str, ...] = ()
) -> list[str]:
    """What it says of a template, besides errors and warnings by the `include`d rules too."""
    template, unread = decode_str(text)
    config = ConfigMixIn(regions=["us-east-1"], include_checks=[*include], ignore_checks=[*ignore])
    found = unread or run_template_by_data(template, config, _rules())
    return [f"{match.linenumber}: {match.rule.id} {match.message}" for match in found]
