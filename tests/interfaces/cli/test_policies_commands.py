"""`billing policies`: what operators read of document policies, and that nothing starts with wrong ones."""

import json
from pathlib import Path

import pytest

from interfaces.cli.main import main
from tests.support.commands import Billing, asked
from tests.support.policies import automatic_where, policy_text

OWN = policy_text(automatic_where('buyer_types = ["B2B"]'))
WRONG = OWN.replace('outcome = "AUTOMATIC"', 'outcome = "SOMETIMES"')
WRONG_LINE = WRONG.splitlines().index('outcome = "SOMETIMES"') + 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the operator's own policies, with one in it."""
    own = tmp_path / "policies"
    own.mkdir()
    (own / "mx.toml").write_text(OWN, "utf-8")
    monkeypatch.setenv("BILLING_POLICY_DIR", str(own))
    monkeypatch.setenv("BILLING_DATA_DIR", str(tmp_path))
    return own


@pytest.fixture
def billing(folder: Path, capsys: pytest.CaptureFixture[str]) -> Billing:
    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["policies", *arguments])
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


def test_loaded_policies_are_listed_with_the_most_specific_first(billing: Billing) -> None:
    code, out = billing()
    assert (code, out.splitlines()[0]) == (0, "OWN 2026-11-21#1 for MX, from 2026-01-01; rules: 1")
    assert [item["name"] for item in asked(billing)["items"]] == ["OWN", "GENERIC"]
    assert asked(billing)["items"][0]["scope"] == {"countryCodes": ["MX"]}


def test_a_ruling_is_explained(billing: Billing) -> None:
    asking = ("--doc-type", "FISCAL_INVOICE", "--country", "MX", "--currency", "MXN", "--amount", "12000")
    code, out = billing(*asking, "--buyer-type", "B2B")
    lines = out.splitlines()
    assert (code, lines[0]) == (0, "FISCAL_INVOICE of ORDER in MX: AUTOMATIC")
    assert "- The conditions hold, so AUTOMATIC: the buyer is B2B, asked for is B2B." in lines
    assert lines[-1] == "For the BUYER, in es or en, by EMAIL; taxes are usually INCLUDED."
    assert asked(billing, *asking)["outcome"] == "ON_DEMAND"


def test_a_past_day_is_ruled_on_by_what_held_then(billing: Billing) -> None:
    asking = ("--doc-type", "FISCAL_INVOICE", "--country", "MX", "--buyer-type", "B2B")
    assert asked(billing, *asking, "--on", "2025-12-31")["verdict"]["policy"] == "GENERIC"
    assert asked(billing, *asking, "--on", "2026-01-01")["verdict"]["policy"] == "OWN"


def test_every_detail_of_a_case_may_be_told(billing: Billing, folder: Path) -> None:
    condition = (
        'any_line_kind = ["SERVICE"]\ngrand_total_at_most = { EUR = 40000 }\nfiscal_invoice_issued = true'
    )
    scope = 'tenant = "acme"\nissuer_entity_id = "shop-1"'
    (folder / "shop.toml").write_text(
        policy_text(automatic_where(condition), name="SHOP", scope=scope), "utf-8"
    )
    asking = ["--doc-type=FISCAL_INVOICE", "--tenant=acme", "--issuer=shop-1", "--line-kind=SERVICE"]
    asking += ["--line-kind=GOODS", "--currency=EUR", "--amount=40000", "--invoiced"]
    told = asked(billing, *asking)
    assert (told["outcome"], told["issuerEntityId"]) == ("AUTOMATIC", "shop-1")
    work_order = asked(billing, "--doc-type=FISCAL_INVOICE", "--source=WORK_ORDER", "--issuer=shop-1")
    assert (work_order["outcome"], work_order["verdict"]["policy"]) == ("AUTOMATIC", "GENERIC")


@pytest.mark.parametrize(
    "wrong", ["--country=mx", "--currency=EURO", "--line-kind=IDEAS", "--doc-type=LETTER"]
)
def test_what_is_no_case_is_wrong_usage(billing: Billing, wrong: str) -> None:
    assert billing("--doc-type=RECEIPT", wrong) == (2, "")


def test_files_are_checked_before_they_are_used(billing: Billing, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    assert asked(billing, "check", str(new)) == {"files": [], "findings": []}
    (new / "mx.toml").write_text(OWN, "utf-8")
    assert billing("check", str(new)) == (0, "1 files are sound, together with the packaged ones.\n")
    (new / "mx.toml").write_text(WRONG, "utf-8")
    (new / "pt.toml").write_text("name =", "utf-8")
    code, out = billing("check", str(new))
    assert code == 1
    assert out.splitlines()[0].startswith(f"{new}/mx.toml:{WRONG_LINE}: rule.0.outcome: ")
    assert out.splitlines()[1].startswith(f"{new}/pt.toml:1: ")
    code, out = billing("check", str(new), "--json")
    assert (code, len(json.loads(out)["findings"])) == (1, 2)


def test_files_are_checked_where_those_in_use_are_wrong(
    billing: Billing, folder: Path, tmp_path: Path
) -> None:
    (folder / "mx.toml").write_text(WRONG, "utf-8")
    mended = tmp_path / "mended"
    mended.mkdir()
    (mended / "mx.toml").write_text(OWN, "utf-8")
    assert billing("check", str(mended))[0] == 0


def test_what_is_no_folder_cannot_be_checked(billing: Billing, tmp_path: Path) -> None:
    assert billing("check", str(tmp_path / "nowhere")) == (2, "")


@pytest.mark.parametrize("command", [["serve"], ["work"], ["run"], ["migrate"], ["policies"]], ids=" ".join)
def test_nothing_starts_with_policies_that_are_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    (folder / "mx.toml").write_text(WRONG, "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(command)
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert f"{folder}/mx.toml:{WRONG_LINE}: rule.0.outcome: " in err


def test_nothing_starts_with_a_folder_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("BILLING_POLICY_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit) as ended:
        main(["serve"])
    assert ended.value.code == 2
    assert "nowhere is not a folder that can be read" in capsys.readouterr().err
