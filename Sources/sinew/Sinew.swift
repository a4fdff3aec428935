internal import SinewCommands

@main
struct Main {
    static func main() async { await CommandLineEntry.run() }
}
