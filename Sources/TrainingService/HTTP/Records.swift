// Records as JSON: what programs read of jobs, events, models and kinds of training.

extension Job {
  /// The job as the API shows it.
  func json(_ catalogue: TrainingCatalogue) -> JSONValue {
    let kind = catalogue.kind(kind)
    return [
      "id": .string(id), "owner": .string(owner), "kind": .string(self.kind), "model_name": .string(modelName),
      "data_path": JSONValue(dataPath), "parameters": .object(parameters), "status": .string(status.rawValue),
      "attempt": .integer(Int64(attempt)), "failures": .integer(Int64(failures)),
      "cancel_requested": .bool(isCancelRequested), "progress": progress ?? .null, "problem": JSONValue(problem),
      "metrics": measures(kind), "result": metrics ?? .null, "model_path": JSONValue(modelPath),
      "created_at": .string(createdAt.text), "updated_at": .string(updatedAt.text),
      "started_at": JSONValue(startedAt), "finished_at": JSONValue(finishedAt),
    ]
  }

  /// The answer of `/training_status/{job_id}`.
  func statusJSON(_ catalogue: TrainingCatalogue) -> JSONValue {
    var status: [String: JSONValue] = [
      "job_id": .string(id), "status": .string(status.rawValue), "metrics": measures(catalogue.kind(kind)),
      "model_path": JSONValue(modelPath), "created_at": .string(createdAt.text), "updated_at": .string(updatedAt.text),
    ]
    if let problem { status["error"] = .string(problem) }
    return .object(status)
  }

  /// `{"recall_at_k", "precision_at_k", "f1_at_k"}`, null where the kind has no such measure or nothing was measured.
  private func measures(_ kind: TrainingKind?) -> JSONValue {
    var measures: [String: JSONValue] = ["recall_at_k": nil, "precision_at_k": nil, "f1_at_k": nil]
    for (name, paths) in kind?.measures ?? [:] {
      measures[name] = TrainingKind.number(at: paths, in: metrics).map(JSONValue.number) ?? .null
    }
    return .object(measures)
  }
}

extension JobEvent {
  var json: JSONValue {
    [
      "id": .integer(id), "job_id": .string(jobID), "attempt": .integer(Int64(attempt)), "at": .string(at.text),
      "kind": .string(kind.rawValue), "body": body,
    ]
  }
}

extension ModelVersion {
  func json(_ catalogue: TrainingCatalogue) -> JSONValue {
    let headline = catalogue.kind(kind)?.headline
    let value = headline.flatMap { TrainingKind.number(at: $0.paths, in: metrics) }
    return [
      "name": .string(name), "version": .integer(Int64(version)), "owner": .string(owner), "kind": .string(kind),
      "job_id": .string(jobID), "files": .array(files.map(JSONValue.string)), "metrics": metrics,
      "headline": ["title": JSONValue(headline?.title), "value": value.map(JSONValue.number) ?? .null],
      "promoted": .bool(isPromoted), "created_at": .string(createdAt.text),
    ]
  }
}

extension TrainingKind {
  var json: JSONValue {
    [
      "name": .string(name), "title": .string(title), "summary": .string(summary), "data": .string(dataHelp),
      "has_sample": .bool(hasSample), "parameters": .array(parameters.map(\.json)),
    ]
  }
}

extension TrainingParameter {
  var json: JSONValue {
    [
      "name": .string(name), "title": .string(title), "help": .string(help), "default": standard ?? .null,
      "schema": schema,
    ]
  }

  /// What values it takes, as JSON Schema.
  var schema: JSONValue {
    switch domain {
    case .integer(let range):
      ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    case .number(let range):
      ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    case .choice(let choices): ["type": "string", "enum": .array(choices.map(JSONValue.string))]
    case .flag: ["type": "boolean"]
    case .path: ["type": "string"]
    case .integers(let range, let count):
      [
        "type": "array", "minItems": 1, "maxItems": .integer(Int64(count)),
        "items": ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)],
      ]
    }
  }
}

extension APIToken {
  var json: JSONValue {
    [
      "id": .integer(id), "name": .string(name), "created_at": .string(createdAt.text),
      "expires_at": JSONValue(expiresAt), "worker": .bool(isWorker),
    ]
  }
}

extension JSONValue {
  init(_ text: String?) { self = text.map(JSONValue.string) ?? .null }
  init(_ moment: Moment?) { self = moment.map { .string($0.text) } ?? .null }
}
