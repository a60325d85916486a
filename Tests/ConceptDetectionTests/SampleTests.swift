// The sample that comes with the package.

import ConceptDetection
import Testing

@Suite struct SampleTests {
  @Test("the sample has 74 concepts over the seven buckets, notes in five languages, and nothing to warn of")
  func sample() throws {
    let lexicon = try Lexicon(path: ConceptSample.lexiconPath)
    #expect(lexicon.concepts.count == 74 && Set(lexicon.concepts.map(\.bucket)) == Set(ConceptBucket.allCases))
    #expect(lexicon.warnings.isEmpty && lexicon.concepts.allSatisfy { $0.aliases.count >= 3 })
    let data = try NoteDataset(path: ConceptDataPaths.sample.notes)
    #expect(data.notes.count >= 400 && data.warnings.isEmpty && data.skipped.count == 0)
    #expect(data.languageCounts.keys.sorted() == ["de", "en", "es", "fr", "it"])
    #expect(data.languageCounts.values.allSatisfy { $0 >= 100 })
    #expect(data.redactions.total == 0, "fictitious clients have no numbers, and nothing else is taken for one")
    // Candidates that name no concept are what training takes for negatives.
    let matcher = AliasMatcher(lexicon)
    let candidates = try Candidates(path: ConceptSample.candidatesPath)
    #expect(candidates.phrases.count { matcher.concepts(in: $0).isEmpty } > 100)
    #expect(candidates.phrases.contains { !matcher.concepts(in: $0).isEmpty })
  }

  @Test("its labelled notes are not among the others, name every concept, and are beyond plain alias matching")
  func labels() throws {
    let lexicon = try Lexicon(path: ConceptSample.lexiconPath)
    let labelled = try NoteDataset(
      path: ConceptSample.labelsPath, options: NoteReadOptions(isLabelled: true, labels: lexicon.concepts.map(\.id)))
    #expect(labelled.notes.count >= 150 && labelled.warnings.isEmpty && labelled.redactions.total == 0)
    #expect(Set(labelled.notes.flatMap { $0.concepts ?? [] }).count == lexicon.concepts.count)
    #expect(labelled.notes.contains { $0.concepts == [] })
    let others = Set(try NoteDataset(path: ConceptSample.notesPath).notes.map(\.text))
    #expect(labelled.notes.allSatisfy { !others.contains($0.text) })
    let f1 = AliasMatcher(lexicon).report(on: labelled.notes, lexicon: lexicon).micro.f1
    #expect((0.5...0.7).contains(f1), "plain alias matching finds F1 \(f1)")
  }
}
