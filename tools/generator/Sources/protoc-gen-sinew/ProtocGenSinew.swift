import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// `protoc-gen-sinew` is a protoc plugin: it writes one Swift file, or one Python module, per `.proto` file.
/// `protoc-gen-sinew --errors proto/errors.json` writes the Swift file of the error catalogue to standard output, and
/// `--python-errors` the Python module.
@main
struct ProtocGenSinew: CodeGenerator {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let option = arguments.first, option == "--errors" || option == "--python-errors",
            let path = arguments.dropFirst().first
        else {
            ProtocGenSinew().main(nil)
            return
        }
        do {
            let catalogue = try ErrorCatalogue(contentsOfFile: path)
            print(
                option == "--errors" ? catalogue.swiftSource() : catalogue.pythonSource(), terminator: "")
        } catch {
            FileHandle.standardError.write(Data("protoc-gen-sinew: \(path): \(error)\n".utf8))
            exit(1)
        }
    }

    var version: String? { "1" }
    var projectURL: String? { nil }
    var supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] { [.proto3Optional] }

    /// The parameter is the access of the generated Swift types, `public` or `package`; or `python` for Python modules.
    func generate(
        files: [FileDescriptor], parameter: any CodeGeneratorParameter, protoCompilerContext: any ProtoCompilerContext,
        generatorOutputs: any GeneratorOutputs
    ) throws {
        if parameter.parameter == "python" {
            for file in files {
                try generatorOutputs.add(
                    fileName: PythonFile.moduleName(file) + ".py", contents: try PythonFile(file).text())
            }
            return
        }
        guard let access = Access(rawValue: parameter.parameter) else {
            throw Failure(
                "parameter “\(parameter.parameter)”: say --sinew_opt=public, --sinew_opt=package or --sinew_opt=python")
        }
        for file in files {
            let source = try SourceFile(file, access: access).text()
            let base = file.name.split(separator: "/").last.map { String($0.dropLast(".proto".count)) } ?? file.name
            try generatorOutputs.add(fileName: Names.type(base) + "Messages.swift", contents: source)
        }
    }
}

/// Who sees a generated type.
enum Access: String {
    case `public`
    case package
}

/// Why nothing is generated.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
