// swift-tools-version: 6.2
import PackageDescription

/// libFuzzer needs every module compiled with `-sanitize=fuzzer`, so the library targets are compiled into this package, through the
/// link `Library` to `../../Sources`. `make fuzz` passes the flags.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "SinewFuzz",
    dependencies: [.package(url: "https://github.com/apple/swift-collections", from: "1.6.0")],
    targets: [
        .systemLibrary(name: "CZlib", path: "Library/CZlib"),
        .systemLibrary(name: "CLibCrypto", path: "Library/CLibCrypto"),
        .systemLibrary(name: "CMessagePack", path: "Library/CMessagePack"),
        .target(name: "CSinewKernels", path: "Library/CSinewKernels", cSettings: [.headerSearchPath(".")]),
        .target(
            name: "SinewKernels", dependencies: ["CSinewKernels"], path: "Library/SinewKernels",
            swiftSettings: settings + [.enableExperimentalFeature("Lifetimes")]),
        .target(
            name: "SinewArrayFiles", dependencies: ["CZlib", "CLibCrypto"], path: "Library/SinewArrayFiles",
            swiftSettings: settings),
        .target(
            name: "SinewBody", dependencies: ["SinewArrayFiles"], path: "Library/SinewBody", exclude: ["Resources"],
            swiftSettings: settings),
        .target(
            name: "SinewModels", dependencies: ["SinewKernels", "SinewBody", "SinewArrayFiles"],
            path: "Library/SinewModels", exclude: ["Resources"], swiftSettings: settings),
        .target(
            name: "SinewImport", dependencies: ["SinewArrayFiles", "SinewBody", "SinewModels"],
            path: "Library/SinewImport", swiftSettings: settings),
        .target(
            name: "SinewFormats", dependencies: ["SinewArrayFiles", "SinewBody"], path: "Library/SinewFormats",
            swiftSettings: settings),
        .target(
            name: "SinewMessagePack", dependencies: ["CMessagePack"], path: "Library/SinewMessagePack",
            swiftSettings: settings),
        .target(
            name: "SinewWire", dependencies: ["SinewMessagePack"], path: "Library/SinewWire", swiftSettings: settings),
        .target(
            name: "SinewCore",
            dependencies: [
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ], path: "Library/SinewCore", swiftSettings: settings),
        .target(
            name: "FuzzTargets",
            dependencies: ["SinewWire", "SinewArrayFiles", "SinewBody", "SinewImport", "SinewFormats", "SinewCore"],
            path: "Targets", swiftSettings: settings),
        .target(name: "CLibFuzzer"),
        .executableTarget(name: "SinewFuzz", dependencies: ["FuzzTargets", "CLibFuzzer"], swiftSettings: settings),
    ]
)
