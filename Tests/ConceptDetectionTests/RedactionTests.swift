// What is taken out of notes, and what must stay. Card numbers are the card schemes' published test numbers, IBANs the
// examples of the SWIFT registry, telephone numbers those set aside for fiction where a country has such.

import ConceptDetection
import Testing

@Suite struct RedactionTests {
  @Test(
    "e-mail addresses",
    arguments: [
      ("Write to anne.smith+ring@mail.example.co.uk.", "Write to [email]."),
      ("(JOSÉ_99@exámple.es)", "([email])"), ("o'brien@example.ie, x", "[email], x"),
      ("<a@b.de>;c-d@e-f.fr", "<[email]>;[email]"), ("\"anne smith\"@example.com", "[email]"),
      ("mail:marco@example.it!", "mail:[email]!"), ("müller@bücher.example", "[email]"),
    ])
  func emails(text: String, expected: String) { #expect(Redaction.redact(text) == expected) }

  @Test(
    "telephone numbers of five countries and North America, with and without a word before them",
    arguments: [
      "+44 20 7946 0958", "020 7946 0958", "(020) 7946 0958", "07700 900123", "07700900123", "+44 (0)161 496 0000",
      "0044 161 496 0000", "+33 6 39 98 12 34", "06 39 98 12 34", "06.39.98.12.34", "06-39-98-12-34", "0639981234",
      "+33 (0)1 99 00 12 34", "+39 347 123 4567", "347 1234567", "3471234567", "02 12345678", "06/1234567",
      "+39 02 1234 5678", "+34 612 345 678", "612 345 678", "612 34 56 78", "91 123 45 67", "612345678",
      "0034612345678",
      "+49 30 23125 012", "030 23125012", "030/23125-012", "0171 39200 55", "(030) 23125 012", "+49 (0) 30 / 23125012",
      "0171-3920055", "(212) 555-0142", "212-555-0142", "+1 212 555 0142", "+41 44 668 18 00",
      "06\u{A0}39\u{A0}98\u{A0}12\u{A0}34",
    ])
  func phones(number: String) {
    #expect(Redaction.redact("Ring \(number) please") == "Ring [phone] please")
    #expect(Redaction.redact(number) == "[phone]")
    #expect(Redaction.redact("(\(number)).") == "([phone])." || Redaction.redact("\(number).") == "[phone].")
  }

  @Test(
    "a word for a telephone makes short numbers one",
    arguments: [
      ("Tel. 12345", "Tel. [phone]"), ("phone: 555 0142", "phone: [phone]"),
      ("Handynummer ist 123456", "Handynummer ist [phone]"),
      ("cell. 333 445566", "cell. [phone]"), ("her number is 612 345 678", "her number is [phone]"),
      ("tfno 93 4567", "tfno [phone]"),
      ("téléphone : 01 02 03", "téléphone : [phone]"),
    ])
  func announcedPhones(text: String, expected: String) { #expect(Redaction.redact(text) == expected) }

  @Test(
    "payment cards whose check digit holds",
    arguments: [
      "4111 1111 1111 1111", "4111111111111111", "5555-5555-5555-4444", "3782 822463 10005", "6011 1111 1111 1117",
      "3530111333300000", "30569309025904", "2223003122003222",
    ])
  func cards(number: String) {
    #expect(Redaction.redact("paid with \(number), thanks") == "paid with [card], thanks")
  }

  @Test(
    "accounts: IBANs whose check digits hold, mistyped ones that a word announces, and national ones likewise",
    arguments: [
      ("GB29 NWBK 6016 1331 9268 19", "[account]"), ("FR1420041010050500013M02606", "[account]"),
      ("to IT60 X054 2811 1010 0000 0123 456 now", "to [account] now"),
      ("ES91 2100 0418 4502 0005 1332.", "[account]."),
      ("de89 3704 0044 0532 0130 00", "[account]"), ("CH93 0076 2011 6238 5295 7 please", "[account] please"),
      ("IBAN: DE89 3704 0044 0532 0130 01", "IBAN: [account]"), ("Konto 532013000", "Konto [account]"),
      ("account number 31926819", "account number [account]"), ("sort code 60-16-13", "sort code [account]"),
      ("account no. 31926819", "account no. [account]"),
      ("Card no. 4111 1111 1111 1112", "Card no. [card]"), ("ref. 4111 1111 1111 1111", "ref. [card]"),
    ])
  func accounts(text: String, expected: String) { #expect(Redaction.redact(text) == expected) }

  @Test(
    "what must stay: prices, dates, times, sizes, weights, references, years, and what only looks like an address",
    arguments: [
      "Budget 1.250.000,00 € or 12'500 CHF", "up to 12 500 euros, 3 900 net", "£1,999.99", "EUR 4500.-", "12.03.2024",
      "2024-03-12 at 10:30", "12/03/24 and 3/14/2025", "01.02.2024 10.30", "from 01-02-2024 to 03-04-2024",
      "in 1998, 2011 and 2023",
      "size 52-54, wrist 14.5 cm, 36 x 42 mm", "0.75 ct, 1.02 ct, 18k, 750/1000", "ref. 126610LN", "Ref. 5711/1A-010",
      "Ref. 0612345678", "no. 612345678", "Nr. 0171 3920055", "serial 4111111111111112", "réf 98 12 34 56 78",
      "Rechnung 2024 000 123",
      "invoice 3471234567", "4111 1111 1111 1112", "GB29 NWBK 6016 1331 9268 18", "opened 9-18, 10.30-12.00",
      "@boutique on Instagram",
      "3 @ 450 each", "me@home", "12 345 678 pieces", "page 12, row 3", "10 15 20 25 30", "C-1042", "5 + 10 = 15",
      "n° 612345678",
      "1:43, 100 m, 10 bar", "24.12. and 31.12.", "Room 411, 3rd floor", "A1B2C3D4E5F6", "1500m 800m", "30 000 000",
    ])
  func stays(text: String) { #expect(Redaction.redact(text) == text) }

  @Test("several in one note are each replaced and counted; a second time changes nothing")
  func several() {
    var counts = RedactionCounts()
    let text =
      "Mail anne@example.com or call 020 7946 0958 / 07700 900123. Card 4111 1111 1111 1111, IBAN GB29NWBK60161331926819, "
      + "ref. 5711, 12.03.2024, 1.500 €"
    let redacted = Redaction.redact(text, counting: &counts)
    #expect(
      redacted == "Mail [email] or call [phone] / [phone]. Card [card], IBAN [account], ref. 5711, 12.03.2024, 1.500 €")
    #expect(counts.emails == 1 && counts.phones == 2 && counts.cards == 1 && counts.accounts == 1 && counts.total == 5)
    #expect(Redaction.redact(redacted) == redacted)
  }
}
