"""Which columns are protected, with no configuration: a table of cases."""

from __future__ import annotations

import pytest

from dbgate_core.masking.classes import classify_column, words_of

PROTECTED = """
users        email               text                     email
users        emailAddress        text                     email
users        work_email          character varying(80)    email
users        EMAIL               text                     email
users        e_mail              text                     email
users        customerEMail       text                     email
users        useremail           text                     email
users        email_lower         text                     email
users        emails              text[]                   email
clientes     correo_electronico  text                     email
x            courriel            text                     email
x            phone               text                     phone
x            phone_no            text                     phone
x            mobilePhone         text                     phone
x            phone               bigint                   phone
x            home_phone_2        text                     phone
x            telefonnummer       text                     phone
x            téléphone           text                     phone
users        name                text                     person_name
customers    name                text                     person_name
Employees    Name                text                     person_name
people       display_name        text                     person_name
x            full_name           text                     person_name
x            firstName           text                     person_name
x            lastname            citext                   person_name
orders       customer_name       text                     person_name
x            Vorname             text                     person_name
x            apellidos           text                     person_name
x            prénom              text                     person_name
x            cardholder_name     text                     person_name
x            address             text                     address
x            address_line_1      text                     address
addresses    line1               text                     address
x            shippingAddress     jsonb                    address
x            postal_code         text                     address
x            Straße              text                     address
x            date_of_birth       date                     birth_date
x            dob                 date                     birth_date
x            birthday            text                     birth_date
x            birth_year          integer                  birth_date
x            geburtsdatum        timestamp without time zone birth_date
x            ssn                 text                     national_id
x            ssn_encrypted       bytea                    national_id
x            tax_id              text                     national_id
x            passport_number     text                     national_id
x            nationalId          bigint                   national_id
x            codice_fiscale      text                     national_id
x            card_number         text                     card_number
x            credit_card         text                     card_number
x            cardNumber          numeric(19,0)            card_number
x            pan                 text                     card_number
x            iban                text                     iban
x            bank_account_number text                     iban
x            password            text                     secret
x            password_hash       text                     secret
x            hashedPassword      text                     secret
x            mot_de_passe        text                     secret
x            totp_secret         text                     secret
x            cvv                 smallint                 secret
x            pin                 integer                  secret
x            api_key             text                     token
x            session_token       uuid                     token
x            refreshToken        text                     token
x            ip                  inet                     ip_address
x            last_seen_from      inet                     ip_address
x            client_ip           text                     ip_address
x            contact             public.email_address     email
x            电话                text                     phone
"""

CLEAN = """
products     product_name        text
products     name                text
categories   name                text
companies    company_name        text
files        file_name           text
x            email_count         integer
x            is_email_verified   boolean
x            email_verified      boolean
x            email_verified_at   timestamp with time zone
x            email_template_id   integer
x            address_id          bigint
x            address_type        text
x            created_at          timestamp with time zone
x            password_changed_at timestamp with time zone
x            token_count         integer
x            tokens              bigint
x            token_type          text
x            status              text
x            title               text
x            description         text
x            amount              numeric
x            city                text
x            host_name           text
x            column_name         text
x            phone_verified      boolean
x            phone_type          text
x            card_type           text
x            card_brand          text
x            card_id             bigint
x            order_number        text
x            invoice_no          text
x            account_id          bigint
x            user_id             bigint
x            birthplace_id       integer
x            pass_count          integer
x            mobile              boolean
x            public_key          text
x            ship                text
x            recipe              text
x            phonetic            text
x            skip                text
x            wallet_address      text
x            mailing_list_id     integer
x            category_name       text
x            event_name          text
x            spin                integer
x            currency            text
"""


@pytest.mark.parametrize("line", PROTECTED.strip().splitlines())
def test_a_protected_column_is_known_by_its_name(line: str) -> None:
    table, column, *type_name, expected = line.split()
    assert {str(found) for found in classify_column(table, column, " ".join(type_name))} == {
        expected
    }


@pytest.mark.parametrize("line", CLEAN.strip().splitlines())
def test_a_name_that_only_looks_alike_is_clean(line: str) -> None:
    table, column, *type_name = line.split()
    assert classify_column(table, column, " ".join(type_name)) == frozenset()


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("the customer's email address", {"email"}),
        ("PII: phone of the buyer", {"phone"}),
        ("contains personal data", {"secret"}),
        ("not PII", set()),
        ("how the customer was found", set()),
    ],
)
def test_a_comment_may_convict_and_never_acquit(comment: str, expected: set[str]) -> None:
    assert classify_column("x", "contact_info", "text", comment) == expected
    assert classify_column("x", "email", "text", comment) == {"email"}


def test_names_are_cut_into_words() -> None:
    assert words_of("customerEMail2") == ("customer", "e", "mail", "2")
    assert words_of("HTTPServer_URL") == ("http", "server", "url")
