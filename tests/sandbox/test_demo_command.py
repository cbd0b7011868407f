"""What `python -m sandbox demo` does before it serves: ports that exist, a browser if there is one."""

import socket
import webbrowser

import pytest

from sandbox.__main__ import main, open_in_browser


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_cannot_be_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], port: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", f"--port={port}"])
    assert ended.value.code == 2
    assert "a port is a number from 0 to 65535" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words in (["demo", "--no-browser"], ["aws"]):
            assert main([*words, f"--port={port}"]) == 2
            said = capsys.readouterr().err
            assert (
                said
                == f"Port {port} can't be had (Address already in use). Say another with --port\n"
            )


def test_a_browser_is_asked_only_where_it_has_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def opens(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", opens)
    monkeypatch.setattr("sys.platform", "linux")
    assert open_in_browser("http://127.0.0.1/", {"DISPLAY": ":0"})
    assert opened == ["http://127.0.0.1/"]
    assert not open_in_browser("http://127.0.0.1/", {})
    assert len(opened) == 1
