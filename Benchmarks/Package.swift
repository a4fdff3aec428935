// swift-tools-version: 6.2
import PackageDescription

/// The library targets are compiled into this package, through the link `Library` to `../Sources`, and not taken as a dependency:
/// kernels and networks are `package` access, and only code of the same package may time them alone. Settings that change
/// the code (language mode, lifetimes) are those of the main package; its lints have no place here.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "SinewBenchmarks",
    targets: [
        .systemLibrary(name: "CZlib", path: "Library/CZlib"),
        .systemLibrary(name: "CLibCrypto", path: "Library/CLibCrypto"),
        .target(name: "CSinewKernels", path: "Library/CSinewKernels", cSettings: [.headerSearchPath(".")]),
        .target(
            name: "SinewKernels", dependencies: ["CSinewKernels"], path: "Library/SinewKernels",
            swiftSettings: settings + [.enableExperimentalFeature("Lifetimes")]),
        .target(
            name: "SinewArrayFiles", dependencies: ["CZlib", "CLibCrypto"], path: "Library/SinewArrayFiles",
            swiftSettings: settings),
        .target(
            name: "SinewBody", dependencies: ["SinewArrayFiles"], path: "Library/SinewBody",
            exclude: ["Resources"], swiftSettings: settings),
        .target(
            name: "SinewModels", dependencies: ["SinewKernels", "SinewBody", "SinewArrayFiles"],
            path: "Library/SinewModels", exclude: ["Resources"], swiftSettings: settings),

        .systemLibrary(name: "COpenBLAS", path: "Sources/COpenBLAS"),
        .target(name: "CPeak"),
        .executableTarget(
            name: "PoseBenchmark", dependencies: ["CPeak", "SinewModels", "SinewBody", "SinewKernels"],
            swiftSettings: settings),
        .executableTarget(
            name: "GeometryBenchmark", dependencies: ["SinewModels", "SinewBody"], swiftSettings: settings),
        .executableTarget(
            name: "NetworkBenchmark", dependencies: ["CPeak", "SinewModels", "SinewBody", "SinewKernels"],
            swiftSettings: settings),
        .executableTarget(
            name: "SGEMMBenchmark", dependencies: ["CPeak", "COpenBLAS", "SinewKernels"], swiftSettings: settings),
    ]
)
