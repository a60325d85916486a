import CommandSupport
import Foundation
import Testing
import TrainingService

@Suite("The pages")
struct PageTests {
  private let html = ["Accept": "text/html"]

  /// A browser that has signed in: its cookie, and the token of its forms.
  private struct Browser {
    let server: TestServer
    var cookie = ""
    var formToken = ""

    mutating func signIn(_ email: String) async throws -> Answer {
      let answer = try await server.form("/sign-in", ["email": email, "password": "correct horse", "next": "/models"])
      try await keep(answer)
      return answer
    }

    mutating func keep(_ answer: Answer) async throws {
      cookie = answer.header("Set-Cookie")?.split(separator: ";").first.map(String.init) ?? ""
      let page = try await get("/account").text
      formToken = page.firstMatch(of: /name="csrf_token" value="([^"]+)"/).map { String($0.1) } ?? ""
    }

    func get(_ path: String) async throws -> Answer {
      try await server.send("GET", path, headers: ["Accept": "text/html", "Cookie": cookie])
    }

    func post(_ path: String, _ fields: [String: String] = [:]) async throws -> Answer {
      try await server.form(
        path, fields.merging(["csrf_token": formToken]) { first, _ in first },
        headers: ["Accept": "text/html", "Cookie": cookie])
    }
  }

  @Test("the first account is made by a link that works once")
  func firstAccount() async throws {
    try await TestServer.run(workers: 0) { server in
      let link = try #require(server.firstAccountPath)
      #expect(try await server.send("GET", link, headers: html).text.contains("Create the first account"))
      #expect(try await server.send("GET", "/first-account/guess", headers: html).status == 403)
      let short = try await server.form(link, ["email": "anna@example.org", "password": "short"], headers: html)
      #expect(short.status == 422)
      #expect(short.text.contains("use at least 10 characters"))
      let made = try await server.form(link, ["email": "anna@example.org", "password": "correct horse"], headers: html)
      #expect(made.status == 303)
      var browser = Browser(server: server)
      try await browser.keep(made)
      #expect(try await browser.get("/jobs").text.contains("anna@example.org"))
      let again = try await server.form(link, ["email": "ben@example.org", "password": "correct horse"], headers: html)
      #expect(again.status == 403)
      #expect(try await server.send("GET", link, headers: html).status == 403)
    }
  }

  @Test("a session's cookie is signed, for the server only, and ends with signing out")
  func sessions() async throws {
    try await TestServer.run(workers: 0) { server in
      _ = try await server.token()
      let stranger = try await server.send("GET", "/jobs?status=failed", headers: html)
      #expect(stranger.status == 303)
      #expect(stranger.header("Location") == "/sign-in?next=/jobs%3Fstatus%3Dfailed")
      var browser = Browser(server: server)
      let entered = try await browser.signIn("anna@example.org")
      #expect(entered.header("Location") == "/models")
      let attributes = Set(
        entered.header("Set-Cookie")?.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) } ?? [])
      #expect(attributes.isSuperset(of: ["HttpOnly", "SameSite=Lax", "Path=/"]))
      #expect(try await browser.get("/jobs").status == 200)

      var forged = browser
      forged.cookie = browser.cookie.dropLast(2) + "xx"
      #expect(try await forged.get("/jobs").status == 303)
      #expect(try await browser.post("/sign-out").header("Location") == "/sign-in")
      #expect(try await browser.get("/jobs").status == 303, "the session has ended for whoever kept its cookie")

      let elsewhere = try await server.form(
        "/sign-in", ["email": "anna@example.org", "password": "correct horse", "next": "//evil.example"])
      #expect(elsewhere.header("Location") == "/")
      let wrong = try await server.form(
        "/sign-in", ["email": "<script>@example.org", "password": "wrong horse"], headers: html)
      #expect(wrong.status == 401)
      #expect(wrong.text.contains("&lt;script&gt;@example.org") && !wrong.text.contains("<script>@"))
    }
  }

  @Test("a form of another site, or without its session's token, changes nothing")
  func formTokens() async throws {
    try await TestServer.run(workers: 0) { server in
      let token = try await server.token()
      var browser = Browser(server: server)
      _ = try await browser.signIn("anna@example.org")
      var careless = browser
      careless.formToken = ""
      #expect(try await careless.post("/train", ["model_type": "fake"]).status == 403)
      #expect(try await careless.post("/start_training/", ["model_type": "fake"]).status == 403)
      let foreign = try await server.form(
        "/sign-in", ["email": "anna@example.org", "password": "correct horse"],
        headers: ["Origin": "https://evil.example"])
      #expect(foreign.status == 403)
      let cross = try await server.form(
        "/sign-in", ["email": "anna@example.org", "password": "correct horse"],
        headers: ["Sec-Fetch-Site": "cross-site"])
      #expect(cross.status == 403)
      #expect(try await server.json("GET", "/api/v1/jobs", token: token).json["total"] == 0)
      let own = try await server.form(
        "/start_training/", ["model_type": "fake", "csrf_token": browser.formToken],
        headers: ["Cookie": browser.cookie, "Origin": "http://127.0.0.1:\(server.port)"])
      #expect(own.status == 200)
    }
  }

  @Test("a training is started from its form, watched, and its model put into use, without any script")
  func walk() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      try server.folder.write("x", to: "data/clicks & more.csv")
      var browser = Browser(server: server)
      _ = try await browser.signIn("anna@example.org")
      let form = try await browser.get("/train?kind=fake&browse=").text
      #expect(form.contains("clicks &amp; more.csv"))
      #expect(
        form.contains("<input id=\"epochs\" name=\"epochs\" value=\"3\" type=\"number\" min=\"1\" max=\"1000000\""))

      let wrong = try await browser.post("/train", ["model_type": "fake", "epochs": "0", "data_path": "../etc"])
      #expect(wrong.status == 422)
      #expect(wrong.text.contains("Epochs is &quot;0&quot;; expected a whole number from 1 to 1000000"))
      #expect(wrong.text.contains("is not within the data folder"))
      #expect(wrong.text.contains("value=\"0\""), "what was typed is still there")

      for number in 1...2 {
        let started = try await browser.post(
          "/train", ["model_type": "fake", "epochs": "\(number + 2)", "data_path": "clicks & more.csv"])
        let page = try #require(started.header("Location"))
        let job = String(page.dropFirst("/jobs/".count))
        _ = try await server.wait(for: job, token: token)
        let text = try await browser.get(page).text
        #expect(text.contains("<span class=\"status completed\">Completed</span>"))
        #expect(text.contains("<svg"))
        #expect(text.contains("warning: a row was left out"))
        #expect(!text.contains("http-equiv=\"refresh\""))
      }
      #expect(try await browser.get("/jobs").text.contains("2 jobs"))
      #expect(try await browser.get("/models").text.contains("2 versions"))
      #expect(try await browser.post("/models/fake/versions/2/promote").header("Location") == "/models/fake")
      let model = try await browser.get("/models/fake").text
      #expect(model.contains("In use"))
      #expect(try await browser.get("/models/fake/versions/2/files/fake.onnx").text == "model\n")
      #expect(try await browser.post("/models/fake/versions/1/delete").status == 303)
      #expect(try await browser.get("/models").text.contains("1 version"))
      #expect(try await browser.get("/jobs/nothing").status == 404)
    }
  }

  @Test("a model is asked on its page, and shown with its versions side by side, without any script")
  func tries() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      var browser = Browser(server: server)
      _ = try await browser.signIn("anna@example.org")
      for epochs in ["3", "4"] {
        let started = try await browser.post("/train", ["model_type": "fake", "epochs": epochs])
        let page = try #require(started.header("Location"))
        _ = try await server.wait(for: String(page.dropFirst("/jobs/".count)), token: token)
      }
      let idle = try await browser.get("/models/fake").text
      #expect(!idle.contains("Try it"), "no version is in use that could be asked")
      #expect(idle.contains("Side by side"))
      // What differs between the versions is named, what does not is not.
      #expect(idle.contains("<th scope=\"row\">Epochs</th>") && !idle.contains("<th scope=\"row\">Trouble</th>"))
      _ = try await browser.post("/models/fake/versions/1/promote")
      let form = try await browser.get("/models/fake").text
      #expect(form.contains("action=\"/models/fake/try/echo#try\""))
      #expect(form.contains("name=\"weight\" value=\"0.5\" type=\"number\" min=\"0\" max=\"1\""))
      #expect(!form.contains("name=\"things\""), "of two ways to ask, the form has the first")

      let asked = try await browser.post("/models/fake/try/echo", ["texts": " one \n<b>two</b>\n", "weight": "0.25"])
      #expect(asked.status == 200)
      #expect(asked.text.contains("Version 1 says"))
      #expect(asked.text.contains("<td>one</td>") && asked.text.contains("<td>&lt;b&gt;two&lt;/b&gt;</td>"))
      #expect(asked.text.contains("<meter min=\"0\" max=\"1\" value=\"0.25\""))
      let wrong = try await browser.post("/models/fake/try/echo", ["texts": "1\n2\n3\n4", "weight": "much"])
      #expect(wrong.text.contains("texts has 4 texts; expected 1 to 3"))
      #expect(wrong.text.contains("weight is &quot;much&quot;; expected a number from 0 to 1"))
      #expect(wrong.text.contains("value=\"much\""), "what was typed is still there")
      #expect(try await browser.post("/models/fake/try/nothing", ["texts": "a"]).status == 404)
      var careless = browser
      careless.formToken = ""
      #expect(try await careless.post("/models/fake/try/echo", ["texts": "a"]).status == 403)
    }
  }

  @Test("style and script have addresses of their content, and pages hold neither inline")
  func assets() async throws {
    try await TestServer.run(workers: 0) { server in
      let page = try await server.send("GET", "/sign-in", headers: html).text
      for pattern in [/href="(\/assets\/[^"]+\.css)"/, /src="(\/assets\/[^"]+\.js)"/] {
        let path = try #require(page.firstMatch(of: pattern)).1
        let asset = try await server.send("GET", String(path))
        #expect(asset.status == 200)
        #expect(asset.header("Cache-Control") == "public, max-age=31536000, immutable")
      }
      #expect(!page.contains("style=") && !page.contains("<style") && !page.contains("onclick"))
    }
  }
}
