"""What every test shares: the count of system and interop tests that ran, and the demand that they do."""

import os

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)  # machines that run tests are busy; pytest's timeout is enough
settings.load_profile("house")

REAL = ("system", "interop")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran against real programs."""
    passed = [report for report in terminalreporter.stats.get("passed", ()) if report.when == "call"]
    for mark in REAL:
        ran = sum(mark in report.keywords for report in passed)
        skipped = sum(mark in report.keywords for report in terminalreporter.stats.get("skipped", ()))
        if ran or skipped:
            terminalreporter.write_line(f"{mark} tests: {ran} ran, {skipped} skipped")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run that had to exercise real programs and did not."""
    if os.environ.get("PYOVN_REQUIRE_SYSTEM_TESTS") != "1" or "not system" in session.config.option.markexpr:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    for mark in REAL:
        if not any(mark in report.keywords for report in reporter.stats.get("passed", ())):
            reporter.write_line(f"no {mark} test ran, and here they must")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
