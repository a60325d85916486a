// A program that trains nothing, but speaks as trainings do: a shell script that prints their lines, keeps a state to go
// on from, and dies in the ways that a test asks for.

import CommandSupport
import Foundation
import TrainingService

struct FakeTraining {
  let catalogue: TrainingCatalogue
  let root: DataRoot
  let settings: WorkerSettings
  let oracle = FakeOracle()

  /// The script's parameters: `epochs`, and `trouble` in the epoch `at`.
  private static let script = #"""
    #!/bin/sh
    epochs=3 trouble=none at=2 output= first=1 data=
    for word in "$@"; do
      case $word in
        --epochs=*) epochs=${word#*=} ;;
        --trouble=*) trouble=${word#*=} ;;
        --at=*) at=${word#*=} ;;
        --data=*) data=${word#*=} ;;
        --output=*) output=${word#*=} ;;
        --resume) first=$(($(cat "$output/fake_training_state.pth") + 1)); echo "{\"event\":\"resumed\",\"epoch\":$((first - 1))}" ;;
      esac
    done
    # Two trainings in one folder at a time would both be here.
    if ! mkdir "$output/running" 2>/dev/null && kill -0 "$(cat "$output/running/process")" 2>/dev/null; then
      echo "two at once" >>"$output/collisions"
    fi
    echo $$ >"$output/running/process"
    trap 'rm -r "$output/running"; exit 130' TERM
    echo "$$ $first" >>"$output/starts"
    for file in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do readlink "/proc/$$/fd/$file" >>"$output/files"; done
    echo '{"event":"began","warnings":["a row was left out"]}'
    if [ "$trouble" = refuse ]; then rm -r "$output/running"; echo "Error: line 3: no user_id" >&2; exit 1; fi
    if [ "$trouble" = finished ]; then
      rm -r "$output/running" "$output/files" "$output/starts"
      echo '{"event":"done","files":[],"was_finished":true}'
      exit
    fi
    epoch=$first
    while [ "$epoch" -le "$epochs" ]; do
      if [ "$epoch" = "$at" ]; then
        case $trouble in
          die) rm -r "$output/running"; kill -9 $$ ;;
          once) if [ ! -e "$output/died" ]; then touch "$output/died"; rm -r "$output/running"; kill -9 $$; fi ;;
          hang) while :; do sleep 0.05; done ;;
        esac
      fi
      echo "$epoch" >"$output/fake_training_state.pth"
      echo "{\"event\":\"epoch\",\"epoch\":$epoch,\"epochs\":$epochs,\"loss\":0.5,\"record\":{\"train_loss\":0.5}}"
      epoch=$((epoch + 1))
    done
    rm -r "$output/running"
    echo '{"event":"finishing","step":"verifying it"}'
    echo "model" >"$output/fake.onnx"
    files='"fake.onnx"'
    if [ "$trouble" = copy ]; then
      mkdir -p "$output/samples"
      cp "$data"/* "$output/samples"
      for file in "$output"/samples/*; do files="$files,\"samples/${file##*/}\""; done
    fi
    echo "{\"event\":\"done\",\"files\":[$files],\"measures\":{\"recall\":0.25},\"verified\":true}"
    """#

  init(in folder: TemporaryDirectory) throws {
    let program = try folder.write(Self.script, to: "fake-training")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    let data = folder.url.appendingPathComponent("data")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    root = try DataRoot(data.path)
    settings = WorkerSettings(modelsDirectory: folder.path("models"))
    let kind = TrainingKind(
      name: "fake", title: "Fake", summary: "Trains nothing.", dataHelp: "a file", hasSample: true,
      parameters: [
        TrainingParameter("epochs", "Epochs", .integer(1...1_000_000), standard: 3, help: "Passes."),
        TrainingParameter("learning_rate", "Learning rate", .number(0.0001...1), standard: nil, help: "A step."),
        TrainingParameter(
          "trouble", "Trouble",
          .choice(["none", "refuse", "die", "once", "hang", "finished", "copy"]), standard: "none",
          help: "An ailment."),
        TrainingParameter("at", "At", .integer(1...1_000_000), standard: 2, help: "The epoch of the trouble."),
        TrainingParameter("weighted", "Weighted", .flag, standard: nil, help: "A flag."),
        TrainingParameter("layers", "Layers", .integers(1...4096, atMost: 4), standard: nil, help: "Widths."),
      ], command: [], dataOption: "--data", outputOption: "--output", threadsOption: nil,
      measures: ["recall_at_k": ["test.recall", "measures.recall"]],
      headline: .init(title: "recall@10", paths: ["measures.recall"]))
    catalogue = TrainingCatalogue(kinds: [kind], program: program, predictions: oracle.table)
  }

  func worker(_ service: TestService, name: String = "test", queue: JobQueue? = nil) -> Worker {
    Worker(
      name: name, source: LocalWork(queue ?? service.queue, root: root), catalogue: catalogue, settings: settings,
      logger: silent)
  }

  func add(_ values: [String: JSONValue], to service: TestService, owner: User) async throws -> Job {
    let request = try catalogue.request(kind: "fake", modelName: nil, dataPath: nil, values: values, root: root)
    return try await service.book.add(request, owner: owner)
  }
}

extension TestService {
  /// Waits until a job is as wanted; the last state seen after a minute, which then fails the test that expects it.
  func wait(for id: String, of user: User, until isReached: (Job) -> Bool) async throws -> Job {
    for _ in 0..<1200 {
      let job = try await book.job(id, for: Viewer(user))
      if isReached(job) { return job }
      try await Task.sleep(for: .milliseconds(50))
    }
    return try await book.job(id, for: Viewer(user))
  }

  /// A file that a fake training left, as lines.
  func lines(_ name: String, of job: Job) -> [String] {
    let text = try? String(contentsOfFile: folder.path("models/\(job.id)/\(name)"), encoding: .utf8)
    return text?.split(separator: "\n").map(String.init) ?? []
  }
}
