// The two addresses that users of the service already call.

import Hummingbird

/// `POST /start_training/` and `GET /training_status/{job_id}`.
struct FormerInterface: Sendable {
  let parts: ServiceParts

  func add(to router: some RouterMethods<ServiceContext>) {
    router.post("start_training") { request, context in try await start(request, context) }
    router.get("training_status/:job") { _, context in try await status(context) }
  }

  /// Form fields `model_type` and `data_path`, and the parameters of the type beside them.
  private func start(_ request: Request, _ context: ServiceContext) async throws -> JSONResponse {
    let user = try context.user
    var fields = try await request.form()
    fields[Authentication.formTokenName] = nil
    let kind = fields.removeValue(forKey: "model_type") ?? ""
    let data = fields.removeValue(forKey: "data_path")
    let model = fields.removeValue(forKey: "model_name")
    let job = try await parts.book.add(
      try parts.catalogue.request(
        kind: kind, modelName: model, dataPath: data, values: parts.catalogue.values(ofForm: fields, kind: kind),
        root: parts.root),
      owner: user)
    context.logger.info("job accepted", metadata: ["job": "\(job.id)", "kind": "\(job.kind)"])
    return JSONResponse(["job_id": .string(job.id), "status": .string(job.status.rawValue)])
  }

  private func status(_ context: ServiceContext) async throws -> JSONResponse {
    let viewer = try context.viewer
    let job = try await parts.book.job(try context.parameters.require("job"), for: viewer)
    return JSONResponse(job.statusJSON(parts.catalogue))
  }
}
