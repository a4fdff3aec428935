import SinewArrayFiles
import Testing

struct JSONValueTests {
    private static func parse(_ text: String, allowsNonFinite: Bool = false) throws(ArrayFileError) -> JSONValue {
        try JSONValue.parse(Array(text.utf8)[...], name: "text", allowsNonFinite: allowsNonFinite)
    }

    @Test func `values of every kind are read`() throws {
        let value = try Self.parse(
            #" {"a": [1, -2.5, 1e2, true, false, null], "b": {"c": "x\n\u00e9\ud83d\ude00\/"}} "#)
        #expect(value["a"] == .array([.integer(1), .number(-2.5), .number(100), .bool(true), .bool(false), .null]))
        #expect(value["b"]?["c"]?.string == "x\né😀/")
        #expect(value["absent"] == nil)
        #expect(try Self.parse("9223372036854775807").int == .max)
        #expect(try Self.parse("9223372036854775808").double == 9_223_372_036_854_775_808)
    }

    @Test(
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "1.", ".5", "+1", "1e", "\"", "\"\\x\"",
            "\"\\ud800\"", "\"\\u12\"", "tru", "nul", "[1] 2", "NaN", "Infinity", "1e999", "\"\u{1}\"",
            "{\"a\":1,\"a\":2}", "\"\\u+123\"",
        ])
    func `what is no JSON is refused`(text: String) {
        #expect(throws: ArrayFileError.self) { try Self.parse(text) }
    }

    @Test func `nesting is bounded`() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: ArrayFileError.self) { try Self.parse(deep) }
    }

    @Test func `Python's words for non-finite numbers are read on request`() throws {
        let values = try #require(try Self.parse("[NaN, Infinity, -Infinity, -1]", allowsNonFinite: true).array)
        #expect(values[0].double?.isNaN == true)
        #expect(values[1].double == .infinity)
        #expect(values[2].double == -.infinity)
        #expect(values[3].int == -1)
    }

    @Test func `encoded text parses to the same value`() throws {
        let value = JSONValue.object([
            .init("quote \" slash \\ line \n bell \u{7}", .array([.integer(-3), .number(0.1), .null, .bool(true)])),
            .init("empty", .object([])), .init("text", .string("größe 😀")),
        ])
        #expect(try Self.parse(value.encoded()) == value)
    }
}
