"""What values are, by their validators: of each kind what is one, and what is nearly one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dbgate_core.classify import accounts, keys, national_ids, people, phones, reach

IS: list[tuple[Callable[[str], bool], str]] = [
    (accounts.is_card_number, "4539578763621486"),
    (accounts.is_card_number, "4539 5787 6362 1486"),
    (accounts.is_iban, "DE89 3704 0044 0532 0130 00"),
    (accounts.is_iban, "gb82west12345698765432"),
    (reach.is_email, "ana.lima+x@mail.example.org"),
    (reach.is_email, "Ana Lima <ana@example.org>"),
    (reach.holds_email, "write to ana@example.org."),
    (reach.is_ip_address, "203.0.113.9"),
    (reach.is_ip_address, "2001:db8::7"),
    (reach.is_mac_address, "00:1b:44:11:3a:b7"),
    (national_ids.social_security_us, "078-05-1120"),
    (national_ids.insurance_gb, "AB 12 34 56 C"),
    (national_ids.dni_es, "12345678Z"),
    (national_ids.codice_fiscale_it, "RSSMRA85T10A562S"),
    (national_ids.cpf_br, "529.982.247-25"),
    (national_ids.pesel_pl, "44051401359"),
    (national_ids.steuer_id_de, "86095742719"),
    (national_ids.personnummer_se, "811218-9876"),
    (national_ids.hetu_fi, "131052-308T"),
    (national_ids.bsn_nl, "111222333"),
    (national_ids.aadhaar_in, "2341 2341 2346"),
    (national_ids.resident_cn, "11010519491231002X"),
    (national_ids.kimlik_tr, "10000000146"),
    (national_ids.rijksregister_be, "85.07.30-033.28"),
    (national_ids.curp_mx, "HEGG560427MVZRRL04"),
    (national_ids.pan_in, "ABCPE1234F"),
    (national_ids.sin_ca, "130 692 544"),
    (keys.is_jwt, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"),
    (keys.holds_service_key, "AKIA" + "QWERTYUIOP234567"),
    (keys.holds_service_key, "token=ghp_" + "a1B2" * 9),
    (keys.is_password_hash, "$2b$12$" + "a" * 53),
    (keys.is_password_hash, "md5" + "0f" * 16),
    (keys.holds_private_key, "-----BEGIN PRIVATE KEY-----\nMII"),
    (keys.holds_url_password, "postgres://app:hunter2@db.example.com/x"),
    (keys.is_random_token, "q8Zr1TfXw0Lk3Vb9Yc7NsDhE5Jm2Pg"),
    (people.is_person_name, "Dr. Anna-Lena Brandt"),
    (people.is_person_name, "van den Berg, Pieter"),
    (people.is_street_address, "12 rue des Lilas"),
    (people.is_street_address, "Gartenstraße 4 b"),
    (people.is_street_address, "221B Baker Street"),
]
IS_NOT: list[tuple[Callable[[str], bool], str]] = [
    (accounts.is_card_number, "4539578763621487"),
    (accounts.is_card_number, "0000000000000000"),
    (accounts.is_card_number, "9039578763621480"),
    (accounts.is_iban, "DE88370400440532013000"),
    (accounts.is_iban, "DE893704004405320130"),
    (reach.is_email, "git@host:team/x.git"),
    (reach.is_email, "name@sha256"),
    (reach.holds_email, "clone git@git.example.com:team/x.git"),
    (reach.is_ip_address, "10.0.19041.1"),
    (reach.is_ip_address, "12:30"),
    (reach.is_mac_address, "00:1b-44:11:3a:b7"),
    (national_ids.social_security_us, "666-05-1120"),
    (national_ids.social_security_us, "078051120"),
    (national_ids.insurance_gb, "BG123456C"),
    (national_ids.dni_es, "12345678A"),
    (national_ids.cpf_br, "111.111.111-11"),
    (national_ids.pesel_pl, "44051401358"),
    (national_ids.steuer_id_de, "86095742718"),
    (national_ids.bsn_nl, "111222334"),
    (keys.is_jwt, "eyJhbGciOiJIUzI1NiJ9.c2lnbmF0dXJl"),
    (keys.holds_private_key, "-----BEGIN PUBLIC KEY-----"),
    (keys.holds_url_password, "https://example.com/a:b@c"),
    (keys.is_random_token, "sha256-" + "q8Zr1TfXw0Lk3Vb9Yc7NsDhE5Jm2Pg"),
    (keys.is_random_token, "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
    (keys.is_random_token, "com.example.orders.ReturnParcelHandler2"),
    (people.is_person_name, "Carbon Kettle"),
    (people.is_person_name, "anna said so"),
    (people.is_street_address, "12 monkeys"),
]


@pytest.mark.parametrize(("check", "text"), IS, ids=str)
def test_is_one(check: Callable[[str], bool], text: str) -> None:
    assert check(text)


@pytest.mark.parametrize(("check", "text"), IS_NOT, ids=str)
def test_is_none(check: Callable[[str], bool], text: str) -> None:
    assert not check(text)


@pytest.mark.parametrize("text", ["", "-", "\0", "٤٥٣٩", "9" * 40, "@", "{", "a" * 9000, "\ud800"])
def test_any_text_may_come(text: str) -> None:
    for check, _ in IS:
        check(text)


def test_versions_are_no_addresses() -> None:
    assert reach.look_like_versions(["1.2.3.4", "10.4.0.99", "2.0.0.1"])
    assert not reach.look_like_versions(["1.2.3.4", "203.0.113.9"])


def test_phones_by_their_plans() -> None:
    pytest.importorskip("phonenumbers", reason="the broker's extra is not installed")
    assert phones.is_phone("+49 30 901820")
    assert not phones.is_phone("+49 3")
    assert not phones.is_phone("2125550123")
    assert phones.share_national([f"(212) 555-012{n}" for n in range(5)]) == 1
    assert phones.share_national([f"06 12 34 56 7{n}" for n in range(5)]) == 1
    assert phones.share_national([f"06 12 34 56 7{n}" for n in range(4)]) == 0
    assert phones.share_national([f"{n}23-45-6789" for n in range(10)]) < 0.9
    assert phones.share_national([str(2_125_550_000 + n) for n in range(60)]) == 0
