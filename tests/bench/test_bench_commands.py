"""Where the time of the tests goes is read from what pytest writes."""

from pathlib import Path

from bench.parts.commands import by_folder

WRITTEN = """<testsuites><testsuite>
<testcase classname="tests.domain.state.test_a.TestIt" name="one" time="0.25"/>
<testcase classname="tests.domain.test_b" name="two" time="0.5"/>
<testcase classname="tests.test_c" name="three" time="1"/>
</testsuite></testsuites>"""


def test_each_test_counts_to_its_folder(tmp_path: Path) -> None:
    told = tmp_path / "tests.xml"
    told.write_text(WRITTEN)
    assert by_folder(told) == {"tests/domain": [0.25, 0.5], "tests": [1.0]}
