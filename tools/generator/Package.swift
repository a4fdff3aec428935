// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that building Sinew needs neither swift-protobuf nor protoc.
let package = Package(
    name: "generator",
    dependencies: [.package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0")],
    targets: [
        .executableTarget(
            name: "protoc-gen-sinew",
            dependencies: [
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "SwiftProtobufPluginLibrary", package: "swift-protobuf"),
            ])
    ]
)
