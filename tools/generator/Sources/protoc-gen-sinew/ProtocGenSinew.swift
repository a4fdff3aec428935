import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// `protoc-gen-sinew` is a protoc plugin: it writes one Swift file per `.proto` file.
/// `protoc-gen-sinew --errors proto/errors.json` writes the Swift file of the error catalogue to standard output.
@main
struct ProtocGenSinew: CodeGenerator {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.first == "--errors", let path = arguments.dropFirst().first else {
            ProtocGenSinew().main(nil)
            return
        }
        do {
            let catalogue = try ErrorCatalogue(contentsOfFile: path)
            print(catalogue.swiftSource(), terminator: "")
        } catch {
            FileHandle.standardError.write(Data("protoc-gen-sinew: \(path): \(error)\n".utf8))
            exit(1)
        }
    }

    var version: String? { "1" }
    var projectURL: String? { nil }
    var supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] { [.proto3Optional] }

    /// The parameter is the access of the generated types: `public` or `package`.
    func generate(
        files: [FileDescriptor], parameter: any CodeGeneratorParameter, protoCompilerContext: any ProtoCompilerContext,
        generatorOutputs: any GeneratorOutputs
    ) throws {
        guard let access = Access(rawValue: parameter.parameter) else {
            throw Failure("parameter “\(parameter.parameter)”: say --sinew_opt=public or --sinew_opt=package")
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
