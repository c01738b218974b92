"""PayPal's exports in each language: headers and words as files have them, kept apart from ours.

Nothing here comes from the tables of the program, so that a test notices a change of those.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Locale:
    """The header of 41 columns, the names of roles in it, and how values are written."""

    name: str
    columns: str  # Separated by `|`.
    roles: dict[str, str]
    words: dict[str, str]
    impact: tuple[str, str, str]  # Credit, debit, memo.
    completed: str
    pending: str
    dates: str
    date_format: str  # With d, dd, m, mm and yyyy.
    mark: str
    zone: str
    statement: str
    statement_roles: dict[str, str]
    old: dict[str, str] = field(default_factory=dict)  # Other names, in files of 2014.


def _roles(names: str) -> dict[str, str]:
    """Return roles by the names of columns, given as `role=Name|role=Name`."""
    return dict(pair.split("=", 1) for pair in names.split("|"))


EN = Locale(
    name="en",
    columns=(
        "Date|Time|TimeZone|Name|Type|Status|Currency|Gross|Fee|Net|From Email Address"
        "|To Email Address|Transaction ID|Shipping Address|Address Status|Item Title|Item ID"
        "|Shipping and Handling Amount|Insurance Amount|Sales Tax|Option 1 Name|Option 1 Value"
        "|Option 2 Name|Option 2 Value|Reference Txn ID|Invoice Number|Custom Number|Quantity"
        "|Receipt ID|Balance|Address Line 1|Address Line 2/District/Neighborhood|Town/City"
        "|State/Province/Region/County/Territory/Prefecture/Republic|Zip/Postal Code|Country"
        "|Contact Phone Number|Subject|Note|Country Code|Balance Impact"
    ),
    roles=_roles(
        "date=Date|time=Time|zone=TimeZone|name=Name|type=Type|status=Status|currency=Currency"
        "|gross=Gross|fee=Fee|net=Net|from=From Email Address|to=To Email Address"
        "|id=Transaction ID|parent=Reference Txn ID|invoice=Invoice Number|custom=Custom Number"
        "|balance=Balance|subject=Subject|note=Note|impact=Balance Impact"
    ),
    words=_roles(
        "payout=Mass Pay Payment|payment=General Payment|withdrawal=General Withdrawal"
        "|deposit=Bank Deposit to PP Account |conversion=General Currency Conversion"
        "|hold=Payment Hold|release=Payment Release|returned=Payment Refund"
        "|purchase=PreApproved Payment Bill User Payment|authorization=General Authorization"
        "|order=Order"
    ),
    impact=("Credit", "Debit", "Memo"),
    completed="Completed",
    pending="Pending",
    dates="mdy",
    date_format="mm/dd/yyyy",
    mark=".",
    zone="America/Los_Angeles",
    statement=(
        "Date|Time|Time Zone|Description|Currency|Gross|Fee |Net|Balance|Transaction ID"
        "|From Email Address|Name|Bank Name|Bank Account|Shipping and Handling Amount|Sales Tax"
        "|Invoice ID|Reference Txn ID"
    ),
    statement_roles=_roles(
        "date=Date|time=Time|zone=Time Zone|type=Description|currency=Currency|gross=Gross|fee=Fee "
        "|net=Net|balance=Balance|id=Transaction ID|from=From Email Address|name=Name"
        "|invoice=Invoice ID|parent=Reference Txn ID"
    ),
    old={"TimeZone": "Time Zone"},
)

DE = Locale(
    name="de",
    columns=(
        "Datum|Uhrzeit|Zeitzone|Name|Typ|Status|Währung|Brutto|Gebühr|Netto"
        "|Absender E-Mail-Adresse|Empfänger E-Mail-Adresse|Transaktionscode|Lieferadresse"
        "|Adress-Status|Artikelbezeichnung|Artikelnummer|Versand- und Bearbeitungsgebühr"
        "|Versicherungsbetrag|Umsatzsteuer|Option 1 Name|Option 1 Wert|Option 2 Name"
        "|Option 2 Wert|Zugehöriger Transaktionscode|Rechnungsnummer|Zollnummer|Anzahl"
        "|Empfangsnummer|Guthaben|Adresszeile 1|Adresszusatz|Ort|Bundesland|PLZ|Land|Telefon"
        "|Betreff|Hinweis|Ländervorwahl|Auswirkung auf Guthaben"
    ),
    roles=_roles(
        "date=Datum|time=Uhrzeit|zone=Zeitzone|name=Name|type=Typ|status=Status|currency=Währung"
        "|gross=Brutto|fee=Gebühr|net=Netto|from=Absender E-Mail-Adresse"
        "|to=Empfänger E-Mail-Adresse|id=Transaktionscode|parent=Zugehöriger Transaktionscode"
        "|invoice=Rechnungsnummer|custom=Zollnummer|balance=Guthaben|subject=Betreff|note=Hinweis"
        "|impact=Auswirkung auf Guthaben"
    ),
    words=_roles(
        "payout=Mass Pay Payment|payment=Allgemeine Zahlung|withdrawal=Allgemeine Abbuchung"
        "|deposit=Bankgutschrift auf PayPal-Konto|conversion=Allgemeine Währungsumrechnung"
        "|hold=Einbehaltung für offene Autorisierung|release=Rückbuchung allgemeiner Einbehaltung"
        "|returned=Rückzahlung|purchase=Rücklastschriftgebühr"
        "|authorization=Allgemeine Autorisierung|order=Bestellung"
    ),
    impact=("Haben", "Soll", "Memo"),
    completed="Abgeschlossen",
    pending="Ausstehend",
    dates="dmy",
    date_format="dd.mm.yyyy",
    mark=",",
    zone="Europe/Berlin",
    statement=(
        "Datum|Uhrzeit|Zeitzone|Beschreibung|Währung|Brutto|Entgelt|Netto|Guthaben"
        "|Transaktionscode|Absender E-Mail-Adresse|Name|Name der Bank|Bankkonto"
        "|Versand- und Bearbeitungsgebühr|Umsatzsteuer|Rechnungsnummer"
        "|Zugehöriger Transaktionscode"
    ),
    statement_roles=_roles(
        "date=Datum|time=Uhrzeit|zone=Zeitzone|type=Beschreibung|currency=Währung|gross=Brutto"
        "|fee=Entgelt|net=Netto|balance=Guthaben|id=Transaktionscode"
        "|from=Absender E-Mail-Adresse|name=Name|invoice=Rechnungsnummer"
        "|parent=Zugehöriger Transaktionscode"
    ),
)

FR = Locale(
    name="fr",
    columns=(
        "Date|Heure|Fuseau horaire|Nom|Type|État|Devise|Avant commission|Commission|Net"
        "|De l'adresse email|À l'adresse email|Numéro de transaction|Adresse de livraison"
        "|État de l'adresse|Titre de l'objet|Numéro de l'objet|Montant de la livraison"
        "|Montant de l'assurance|TVA|Nom de l'option 1|Valeur de l'option 1|Nom de l'option 2"
        "|Valeur de l'option 2|Numéro de la transaction de référence|Numéro de facture"
        "|Numéro de client|Quantité|Numéro du reçu|Solde|Adresse 1|Adresse 2|Ville"
        "|État/Province|Code postal|Pays|Téléphone|Objet|Remarque|Indicatif pays"
        "|Impact sur le solde"
    ),
    roles=_roles(
        "date=Date|time=Heure|zone=Fuseau horaire|name=Nom|type=Type|status=État|currency=Devise"
        "|gross=Avant commission|fee=Commission|net=Net|from=De l'adresse email"
        "|to=À l'adresse email|id=Numéro de transaction"
        "|parent=Numéro de la transaction de référence|invoice=Numéro de facture"
        "|custom=Numéro de client|balance=Solde|subject=Objet|note=Remarque"
        "|impact=Impact sur le solde"
    ),
    words=_roles(
        "payout=Mass Pay Payment|payment=Paiement reçu|withdrawal=Virement standard"
        "|deposit=Approvisionnement pour virement électronique|conversion=Conversion de devise"
        "|hold=Temporary Hold|release=Payment Release|returned=Remboursement"
        "|purchase=Paiement d'abonnement|authorization=Autorisation|order=Commande"
    ),
    impact=("Crédit", "Débit", "Mémo"),
    completed="Terminé",
    pending="En attente",
    dates="dmy",
    date_format="dd/mm/yyyy",
    mark=".",
    zone="Europe/Paris",
    statement=(
        "Date|Heure|Fuseau horaire|Description|Devise|Avant commission|Commission|Net|Solde"
        "|Numéro de transaction|De l'adresse email|Nom|Nom de la banque|Compte bancaire"
        "|Montant de la livraison|TVA|Numéro de facture|Numéro de la transaction de référence"
    ),
    statement_roles=_roles(
        "date=Date|time=Heure|zone=Fuseau horaire|type=Description|currency=Devise"
        "|gross=Avant commission|fee=Commission|net=Net|balance=Solde|id=Numéro de transaction"
        "|from=De l'adresse email|name=Nom|invoice=Numéro de facture"
        "|parent=Numéro de la transaction de référence"
    ),
    old={
        "Commission": "Frais",
        "Numéro de la transaction de référence": "Nº de transaction de référence",
        "Numéro de facture": "Nº de facture",
        "Numéro de client": "Nº de client",
    },
)

IT = Locale(
    name="it",
    columns=(
        "Data|Orario|Fuso orario|Nome|Tipo|Stato|Valuta|Lordo|Tariffa|Netto"
        "|Indirizzo email mittente|Indirizzo email destinatario|Codice transazione"
        "|Indirizzo di spedizione|Stato dell'indirizzo|Titolo oggetto|Codice articolo"
        "|Importo spese di spedizione e imballaggio|Importo assicurazione|Imposte sulle vendite"
        "|Nome opzione 1|Valore opzione 1|Nome opzione 2|Valore opzione 2"
        "|Codice transazione di riferimento|N° ordine commerciante|Numero personalizzato"
        "|Quantità|Codice ricevuta|Saldo|Indirizzo|Indirizzo (continua)|Città|Provincia"
        "|CAP/Codice postale|Paese|Telefono|Oggetto|Messaggio|Prefisso internazionale"
        "|Impatto sul saldo"
    ),
    roles=_roles(
        "date=Data|time=Orario|zone=Fuso orario|name=Nome|type=Tipo|status=Stato|currency=Valuta"
        "|gross=Lordo|fee=Tariffa|net=Netto|from=Indirizzo email mittente"
        "|to=Indirizzo email destinatario|id=Codice transazione"
        "|parent=Codice transazione di riferimento|invoice=N° ordine commerciante"
        "|custom=Numero personalizzato|balance=Saldo|subject=Oggetto|note=Messaggio"
        "|impact=Impatto sul saldo"
    ),
    words=_roles(
        "payout=Mass Pay Payment|payment=Pagamento generico|withdrawal=Prelievo generico"
        "|deposit=Versamento generico con carta|conversion=Conversione di valuta generica"
        "|hold=Payment Hold|release=Payment Release|returned=Rimborso"
        "|purchase=Pagamento preautorizzato pagamento utenza"
        "|authorization=Autorizzazione generica|order=Ordine"
    ),
    impact=("Accredito", "Addebito", "Memo"),
    completed="Completata",
    pending="In sospeso",
    dates="dmy",
    date_format="dd/mm/yyyy",
    mark=",",
    zone="Europe/Rome",
    statement=(
        "Data|Orario|Fuso orario|Descrizione|Valuta|Lordo|Tariffa|Netto|Saldo"
        "|Codice transazione|Indirizzo email mittente|Nome|Nome banca|Conto bancario"
        "|Importo spese di spedizione e imballaggio|Imposte sulle vendite|Numero fattura"
        "|Codice transazione di riferimento"
    ),
    statement_roles=_roles(
        "date=Data|time=Orario|zone=Fuso orario|type=Descrizione|currency=Valuta|gross=Lordo"
        "|fee=Tariffa|net=Netto|balance=Saldo|id=Codice transazione"
        "|from=Indirizzo email mittente|name=Nome|invoice=Numero fattura"
        "|parent=Codice transazione di riferimento"
    ),
)

ES = Locale(
    name="es",
    columns=(
        "Fecha|Hora|Zona horaria|Nombre|Tipo|Estado|Divisa|Bruto |Comisión |Neto"
        "|Correo electrónico del remitente|Correo electrónico del destinatario"
        "|Id. de transacción|Dirección de envío|Estado de la dirección|Título del artículo"
        "|Id. del artículo|Importe de envío|Importe del seguro|Impuesto|Nombre de la opción 1"
        "|Valor de la opción 1|Nombre de la opción 2|Valor de la opción 2"
        "|Id. de referencia de trans.|Id. de factura|Número personalizado|Cantidad"
        "|Id. del recibo|Saldo|Dirección 1|Dirección 2|Ciudad|Provincia|Código postal|País"
        "|Teléfono|Asunto|Nota|Código del país|Impacto en el saldo"
    ),
    roles=_roles(
        "date=Fecha|time=Hora|zone=Zona horaria|name=Nombre|type=Tipo|status=Estado"
        "|currency=Divisa|gross=Bruto |fee=Comisión |net=Neto"
        "|from=Correo electrónico del remitente|to=Correo electrónico del destinatario"
        "|id=Id. de transacción|parent=Id. de referencia de trans.|invoice=Id. de factura"
        "|custom=Número personalizado|balance=Saldo|subject=Asunto|note=Nota"
        "|impact=Impacto en el saldo"
    ),
    words=_roles(
        "payout=Mass Pay Payment|payment=Pago estándar"
        "|withdrawal=Retirada iniciada por el usuario"
        "|deposit=Bank Deposit to PP Account |conversion=Conversión de divisas general"
        "|hold=Payment Hold|release=Payment Release|returned=Reembolso"
        "|purchase=Pago de suscripción|authorization=Autorización general|order=Pedido"
    ),
    impact=("Crédito", "Débito", "Memo"),
    completed="Completado",
    pending="Pendiente",
    dates="dmy",
    date_format="d/m/yyyy",
    mark=",",
    zone="Europe/Madrid",
    statement=(
        "Fecha|Hora|Zona horaria|Descripción|Divisa|Bruto |Comisión |Neto|Saldo"
        "|Id. de transacción|Correo electrónico del remitente|Nombre|Nombre del banco"
        "|Cuenta bancaria|Importe de envío|Impuesto|Id. de factura|Id. de referencia de trans."
    ),
    statement_roles=_roles(
        "date=Fecha|time=Hora|zone=Zona horaria|type=Descripción|currency=Divisa|gross=Bruto "
        "|fee=Comisión |net=Neto|balance=Saldo|id=Id. de transacción"
        "|from=Correo electrónico del remitente|name=Nombre|invoice=Id. de factura"
        "|parent=Id. de referencia de trans."
    ),
)

NL = Locale(
    name="nl",
    columns=(
        "Datum|Tijd|Tijdzone|Naam|Type|Status|Valuta|Bruto|Kosten|Net|Van e-mailadres"
        "|Naar e-mailadres|Transactiereferentie|Verzendadres|Status adres|Item Title|Objectnummer"
        "|Verzendkosten|Verzekeringskosten|BTW|Naam optie 1|Waarde optie 1|Naam optie 2"
        "|Waarde optie 2|Reference Txn ID|Factuurnummer|Aangepast nummer|Hoeveelheid"
        "|Ontvangstbewijsnummer|Saldo|Adresregel 1|Adresregel 2|Plaats|Provincie|Postcode|Land"
        "|Telefoonnummer|Onderwerp|Note|Landcode|Effect op saldo"
    ),
    roles=_roles(
        "date=Datum|time=Tijd|zone=Tijdzone|name=Naam|type=Type|status=Status|currency=Valuta"
        "|gross=Bruto|fee=Kosten|net=Net|from=Van e-mailadres|to=Naar e-mailadres"
        "|id=Transactiereferentie|parent=Reference Txn ID|invoice=Factuurnummer"
        "|custom=Aangepast nummer|balance=Saldo|subject=Onderwerp|note=Note"
        "|impact=Effect op saldo"
    ),
    words=_roles(
        "payout=Mass Pay Payment|payment=Algemene betaling|withdrawal=Algemene opname"
        "|deposit=Bankstorting op PP-rekening|conversion=Algemeen valutaomrekening"
        "|hold=Payment Hold|release=Payment Release|returned=Terugbetaling"
        "|purchase=Vooraf goedgekeurde betaling|authorization=Algemene autorisatie|order=Order"
    ),
    impact=("Bij", "Af", "Memo"),
    completed="Voltooid",
    pending="In behandeling",
    dates="dmy",
    date_format="dd-mm-yyyy",
    mark=",",
    zone="Europe/Amsterdam",
    statement=(
        "Datum|Tijd|Tijdzone|Omschrijving|Valuta|Bruto|Kosten|Net|Saldo|Transactiereferentie"
        "|Van e-mailadres|Naam|Naam bank|Bankrekening|Verzendkosten|BTW|Factuurreferentie"
        "|Reference Txn ID"
    ),
    statement_roles=_roles(
        "date=Datum|time=Tijd|zone=Tijdzone|type=Omschrijving|currency=Valuta|gross=Bruto"
        "|fee=Kosten|net=Net|balance=Saldo|id=Transactiereferentie|from=Van e-mailadres|name=Naam"
        "|invoice=Factuurreferentie|parent=Reference Txn ID"
    ),
)

LOCALES = (EN, DE, FR, IT, ES, NL)
