// Prints the features of each note of files, one note a line: for other runtimes, which compare theirs.
//
//     concept-features BITS FILE…

import ConceptDetection

let arguments = CommandLine.arguments
guard arguments.count >= 3, let bits = Int(arguments[1]), (8...24).contains(bits) else {
  print("usage: concept-features BITS FILE…")
  throw ConceptDataError.badForm(path: "the command line", problem: "names no bits from 8 to 24 and no file")
}
let extractor = ConceptFeatures(bits: bits)
for path in arguments.dropFirst(2) {
  for note in try NoteDataset(path: path, options: NoteReadOptions(redacts: false)).notes {
    print(extractor.features(of: note.text).ids.map(String.init).joined(separator: " "))
  }
}
