"""Words of others never become mark-up, and times always carry a fallback."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.slack.messages import text

NOW = datetime(2026, 3, 2, 9, 31, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_words", "shown", "why"),
    [
        ("alias/payments", "alias/payments", "ordinary names stay"),
        ("a\u202egpj.exe", "agpj.exe", "direction marks go"),
        ("a\u0000b\u200bc\ufeff", "abc", "control and invisible marks go"),
        ("a\n\tb\u2028c", "a b c", "one line"),
        ("  ", "(empty)", "nothing is said to be nothing"),
        ("a\ud800b", "ab", "lone surrogates can't be sent"),
        ("مفاتيح", "\u2068مفاتيح\u2069", "right-to-left names are isolated"),  # noqa: RUF001  # Arabic, on purpose
        ("x" * 100, "x" * 30 + "…" + "x" * 29, "long names are shortened in the middle"),
    ],
)
def test_foreign_words_are_cleaned(given_words: str, shown: str, why: str) -> None:
    assert text.clean(given_words) == shown, why


@given(st.text())
def test_cleaned_words_are_short_and_harmless(words: str) -> None:
    shown = text.clean(words)
    assert 0 < len(shown) <= 62
    assert not any(c in shown for c in "\n\r\t\u202e\u200b")


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("<@alice> can", "<@alice> can"),
        ("<!subteam^S0KEYS> can", "<!subteam^S0KEYS> can"),
        ("at <!date^1772443860^{time}|09:31 UTC>", "at <!date^1772443860^{time}|09:31 UTC>"),
        (
            "<!channel> & <https://evil.example|click>",
            "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;",
        ),
        ("write `/unlatch`", "write `/unlatch`"),
    ],
)
def test_only_mentions_and_dates_stay_mark_up(sentence: str, shown: str) -> None:
    assert text.marked(sentence) == shown


def test_ids_hold_no_mark_up() -> None:
    assert text.ident("cluster-2a3b<!channel>*`") == "cluster-2a3bchannel"
    assert text.ident("") == "unknown"


def test_times_carry_utc() -> None:
    assert text.token(NOW) == "<!date^1772443867^{date_short_pretty}, {time}|2 Mar, 09:31 UTC>"
    assert text.utc(NOW, text.DAY) == "2 Mar"
    assert text.utc(NOW, text.TIME) == "09:31 UTC"
    assert text.utc(NOW, "{time_secs}") == "09:31:07 UTC"


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (-timedelta(hours=1), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(hours=3, minutes=50), "3 hours ago"),
        (timedelta(days=94), "94 days ago"),
    ],
)
def test_ages(age: timedelta, words: str) -> None:
    assert text.ago(NOW - age, NOW) == words


@pytest.mark.parametrize(
    ("number", "times", "all_of", "the", "spelled"),
    [
        (1, "once", "the only key", "the key", "One"),
        (2, "twice", "both keys", "the 2 keys", "Two"),
        (3, "3 times", "all 3 keys", "the 3 keys", "Three"),
        (1_000, "1,000 times", "all 1,000 keys", "the 1,000 keys", "1,000"),
    ],
)
def test_numbers_in_words(number: int, times: str, all_of: str, the: str, spelled: str) -> None:
    assert text.times(number) == times
    assert text.all_of(number, "key") == all_of
    assert text.the(number, "key") == the
    assert text.spelled(number) == spelled


def test_what_is_too_long_is_cut_at_the_end_or_in_the_middle() -> None:
    assert (text.cut("abcde", 5), text.cut("abcdef", 5)) == ("abcde", "abcd…")
    assert (text.shorten("abcde", 5), text.shorten("abcdef", 5)) == ("abcde", "ab…ef")
    assert text.shorten("abcdef", 4) == "ab…f"


def test_lists_in_words() -> None:
    assert [text.listing("abc"[:number]) for number in range(4)] == [
        "nothing",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert text.listing([], nothing="nobody") == "nobody"


def test_a_caller_at_the_start_of_a_sentence() -> None:
    assert text.caller("role deploy") == "Role deploy"
    assert text.caller("") == "Somebody"
    assert text.caller("ann@example.com") == "ann@example.com"


def test_approvers_are_groups_and_people() -> None:
    assert text.approvers(["S0KEYS", "alice"]) == "<!subteam^S0KEYS> and <@alice>"
    assert text.approvers([]) == "nobody"
    assert text.approvers([f"u{n}" for n in range(14)]).endswith("and 4 more")


def test_money_is_not_more_exact_than_it_can_be() -> None:
    assert text.money(76.8) == "$77"
    assert text.money(2073.6) == "$2,070"
    assert [text.money(dollars) for dollars in (999, 999.4, 1_000, 1_006)] == [
        "$999",
        "$999",
        "$1,000",
        "$1,010",
    ]
