"""All 203 cases of the public suite of RFC 7208."""

import pytest
import yaml
from spf_suite import SuiteResolver, judged

CASES = 203


@pytest.mark.row(44)
def test_every_case(shared_data):
    path = shared_data / "spf-rfc7208" / "test" / "rfc7208-tests.yml"
    if not path.exists():
        pytest.skip("the suite is not in ../shared/data/spf-rfc7208")
    passed, failed = 0, []
    for scenario in yaml.safe_load_all(path.read_text()):
        resolver = SuiteResolver(scenario["zonedata"])
        default = "DEFAULT"
        for name, case in scenario["tests"].items():
            result = judged(resolver, case["host"], case["helo"], case["mailfrom"])
            expected = case["result"] if isinstance(case["result"], list) else [case["result"]]
            explanation = case.get("explanation", default)
            is_told = explanation == default or result.explanation == explanation
            if result.word.value in expected and is_told:
                passed += 1
            else:
                failed.append((name, expected, explanation, result))
    assert failed == []
    assert passed == CASES
