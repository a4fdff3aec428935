internal import ArgumentParser

/// Options that every command which prints data has.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON instead of text.")
    var json = false
}
