"""The words that name protected columns, as data: phrases per class, and the words that acquit.

A phrase is written in lower case without accents, its words parted by blanks. Column names are cut
into words the same way (`customerEMail2` is "customer e mail 2"), so one entry covers snake_case
and camelCase; phrases are also compared with their blanks removed (`phonenumber`).
"""

from __future__ import annotations

from typing import Final


def _set(text: str, separator: str | None = None) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(separator))


PHRASES: Final[dict[str, str]] = {
    "email": """
        email|e mail|mail|mail address|email address|email addr|correo|correo electronico|courriel
        |adresse mail|adresse email|e mail adresse|posta elettronica|epost|e post|epostadress|sahkoposti|eposta|e posta|mejl|mailadresse|邮箱|电子邮件|メール|почта""",
    "phone": """
        phone|phones|telephone|tel|mobile|mobile phone|cell|cell phone|cell number|cell no|home cell|work cell|private cell
        |personal cell|contact cell|emergency cell|guest cell|parent cell|fax|msisdn|whatsapp
        |contact number|landline|telefono|movil|celular|telefon|handy|mobilnummer|telefonnummer
        |rufnummer|portable|telefone|telefoon|telefoonnummer|cellulare
        |telefonu|komorka|numer telefonu|puhelin|puhelinnumero|mobil|matkapuhelin|telefonszam|gsm
        |cep telefonu|telemovel|fono|direct dial|telefax|sms number|电话|手机|電話番号|телефон""",
    "person_name": """
        first name|last name|given name|family name|middle name|maiden name|full name|surname
        |forename|fname|lname|firstname|lastname|nickname|legal name|birth name|preferred name
        |person name|customer name|client name|employee name|patient name|contact name|user full name
        |member name|student name|guest name|passenger name|recipient name|recipient|sender name
        |holder name|card holder|cardholder|cardholder name|account holder|card holder name
        |account holder name|name on card|beneficiary name|emergency contact|next of kin|spouse name
        |mothers maiden name|mother maiden name|buyer name|applicant name|manager name|doctor name
        |driver name|shipping name|billing name|staff name|author name|signatory|signature
        |nombre completo|apellido|apellidos|prenom|nom de famille|nom complet|vorname|nachname
        |familienname|cognome|sobrenome|voornaam|achternaam|imie|nazwisko|fornavn|efternavn|etternavn
        |fornamn|efternamn|given names|other names|etunimi|sukunimi|jmeno|prijmeni|nume|prenume
        |ad soyad|soyad|imie i nazwisko|apelido|apellido paterno|apellido materno|primer nombre
        |segundo nombre|nombres|nom usage|nom naissance|nom de naissance|geburtsname|rufname|voornamen
        |roepnaam|tussenvoegsel|payee name|payer name|debtor name|creditor name|insured name|owner name
        |caller name|attendee name|traveller name|traveler name|consignee|addressee|kontaktperson
        |ansprechpartner|mottagare|titulaire|titular|kontoinhaber|karteninhaber|姓名|氏名|имя|фамилия""",
    "address": """
        address|addr|addresses|street|street address|street name|house number|address line
        |mailing address|postal address|zip|zip code|zipcode|postal code|postcode|post code|plz|cep
        |direccion|domicilio|adresse|rue|code postal|anschrift|strasse|hausnummer|postleitzahl
        |indirizzo|endereco|logradouro|adres|straat|huisnummer|adresa|ulica|postnummer|postnr|kod pocztowy
        |cap|codigo postal|codice postale|psc|gatuadress|gateadresse|osoite|postinumero|numero civico
        |bairro|domicile|nr domu|numer domu|house no|house nr|house num|地址|住所|адрес""",
    "birth_date": """
        dob|birth date|birthdate|birthday|birth day|date of birth|born|born on|born at|birth year
        |year of birth|fecha nacimiento|fecha de nacimiento|date naissance|date de naissance
        |geburtsdatum|geburtstag|data nascita|data di nascita|data nascimento|data de nascimento
        |geboortedatum|data urodzenia|fodselsdato|fodelsedatum|fodt|syntymaaika|datum narozeni|szuletesi datum
        |data nasterii|dogum tarihi|gebdat|geb datum|birth dt|nacimiento|nascimento|naissance|生年月日|出生日期""",
    "national_id": """
        ssn|ssn last 4|social security|social security number|sin number|nino|national insurance
        |national id|national identity|nationalid|national identifier|passport|passport id|tax id
        |tax identifier|taxpayer id|tin|itin|drivers license|driver license|driving license
        |drivers licence|driver licence|driving licence|license plate|id card|identity card
        |identity document|id document|identity number|government id|govt id|personal code
        |personal id|personal identification|mrn|medical record|nhs|nhs number|medicare|medicare id
        |insurance id|health insurance number|insurance number|cpf|curp|rfc|nif|dni|nie|pesel|bsn
        |aadhaar|aadhar|egn|cnp|personnummer|fodselsnummer|cpr|codice fiscale|steuernummer|steuer id
        |sozialversicherungsnummer|ausweisnummer|numero secu|numero securite sociale|nir|rodne cislo|hetu|henkilotunnus
        |tc kimlik|kimlik no|rut|cedula|cuil|cuit|dui|nuip|reisepass|reisepassnummer|passnummer|pasaporte
        |passeport|paszport|dowod|nr dowodu|numer dowodu|carta identita|documento identidad|documento
        identita|ppsn|svnr|ahv nummer|numero avs|krankenversicherungsnummer|versichertennummer
        |numero seguridad social|nss|residence permit|alien number|voter id|health card number
        |身份证|身份证号
        |паспорт|инн|снилс""",
    "card_number": """
        card|card number|credit card|debit card|payment card|cc|cc number|ccn|ccnum|pan|card pan
        |primary account number|kreditkarte|kreditkartennummer|numero tarjeta|tarjeta|carte bancaire
        |numero carte|numero cartao|creditcard|debitcard|kortnummer|kaartnummer|numer karty|carta di credito|numero carta
        |cartao|cartao credito|numero de tarjeta|tarjeta credito|银行卡号""",
    "iban": """
        iban|bank account|bank account number|account number|account iban|acct|acct number
        |routing number|sort code|kontonummer|cuenta bancaria|compte bancaire|rib|rekeningnummer|numer konta|nr konta
        |numero conto|conto corrente|conta bancaria|numero cuenta|numero compte|clabe|bban|kontonr|aba
        |aba number|bankkonto|bank acct""",
    "secret": """
        password|passwd|passwort|passphrase|passcode|pwd|pass|pin|pin code|secret|secrets|salt
        |password digest|passwd digest|secret key|private key|encryption key|signing key|master key
        |shared key|ssh key|pgp key|credential|credentials|otp|one time password|totp|mfa seed|seed phrase
        |mnemonic|security answer|secret answer|recovery code|recovery codes|backup code|backup codes
        |cvv|cvv 2|cvc|cvc 2|csc|security code|contrasena|clave|mot de passe|motdepasse|kennwort|senha
        |wachtwoord|haslo|parola|pii|personal data|personal info|personal details|personal information
        |connection string|dsn|losenord|salasana|sifre|jelszo
        |heslo|palavra passe|pepper|hmac key|puk|puk code|unlock code|密码|パスワード|пароль""",
    "token": """
        token|tokens|api key|apikey|access key|auth key|session key|session token|session cookie
        |cookie|cookies|bearer|jwt|oauth|refresh token|access token|authorization code|auth code
        |verification code|activation code|reset code|invite code|magic link|license key|secret token
        |device token|push token|webhook url|csrf|xsrf|confirmation code|login code|one time code
        |access code|recovery token|bearer token|jeton""",
    "ip_address": """
        ip|ip address|ip addr|ipaddress|ipaddr|ipv 4|ipv 6|remote addr|remote address|client addr
        |client address|client ip|host ip|mac address|mac addr|mac|mac adresse|ip adresse|adres ip|adresse ip|direccion ip
        |indirizzo ip|lan addr|lan address|wan addr|wan address|peer addr|peer address|host addr
        |host address|server addr|server address|source addr|source address|src addr|dst addr|bind addr
        |x forwarded for|forwarded for""",
}

ENDINGS: Final = _set(
    """number numbers no num nr nummer numero hash hashed digest encrypted enc cipher ciphertext raw
    plain plaintext clear cleartext text txt value val str string string full original orig old new
    previous prev current primary secondary alternate alt alternative normalized normalised lower
    upper sanitized masked backup copy list json data field line 1 2 3 4 home work private personal
    main other bis b64 base64 e164 intl"""
)
"""Words after the noun that leave its meaning: `phone_no`, `email_lower`, `address_line_2`."""

ACQUITTING_STARTS: Final = _set(
    """is has had can should allow allows enable enabled require requires num count total n max min
    avg sum needs use uses show hide skip send notify was will"""
)
"""A name that starts so is a flag or a number about the noun: `is_email_verified`."""

CLEAN: Final = _set(
    """wallet address|web address|contract address|memory address|url address|token type|no address
    |business card|sim card|gift card|graphics card|report card|score card|phone model|tokens used
    |boarding pass|season pass|push pin|map pin|first pass|site address|page address|block address
    |git commit token|prompt tokens|completion tokens|total tokens|input tokens|output tokens
    |scrum master key|foreign key|primary key|sort key|public key|company email domain
    |next token|prev token|previous token|page token|continuation token|sync token|max token|stop token
    |start address|end address|base address|index card|flash card|wild card|memory card|sound card
    |video card|yellow card|red card|trading card|playing card|post card|loyalty card|fuel cell
    |solar cell|battery cell|table cell|grid cell|stem cell|sea salt|frying pan|head phone|micro phone
    |fortune cookie|direct mail|junk mail|voice mail|second pass|ski pass|bus pass|hall pass|gpio pin
    |drop pin|easter egg token|top secret|signature hash|message signature|webhook signature
    |request signature|digital signature|method signature|function signature""",
    "|",
)
"""Phrases that end like a protected noun and are none."""

ALONE: Final = _set("cell cap aba mac handy portable gsm rut nss psc fono", None)
"""Phrases that count only as the whole name: a fuel cell is no phone, a market cap no postal code."""

PEOPLE: Final = _set(
    """user customer client person people employee patient contact member student teacher staff lead
    subscriber guest passenger doctor driver author candidate applicant buyer seller donor visitor
    resident citizen borrower lender beneficiary cardholder attendee participant nurse agent worker
    profile recipient child parent guardian spouse voter physician tenant individual prospect
    kunde kunden kundin mitarbeiter benutzer personne utilisateur usuario cliente empleado persona
    paciente utente dipendente funcionario klant medewerker gebruiker klient pracownik"""
)
"""Table nouns whose bare `name` is a person's."""

BARE_NAMES: Final = _set("""name names nombre nom nome naam nazwa navn namn display title""")
