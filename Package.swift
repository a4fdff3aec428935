// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is built the same way; a rule that the compiler can hold is not left to memory.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// `@_lifetime` on our own span properties is allowed here only.
let strictWithLifetimes = strict + [.enableExperimentalFeature("Lifetimes")]

let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let orderedCollections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "sinew",
    products: [
        .executable(name: "sinew", targets: ["sinew"]),
        .library(name: "SinewClient", targets: ["SinewClient"]),
        .library(name: "SinewBody", targets: ["SinewBody"]),
        .library(name: "SinewModels", targets: ["SinewModels"]),
        .library(name: "SinewZeroMQ", targets: ["SinewZeroMQ"]),
        .library(name: "SinewMessagePack", targets: ["SinewMessagePack"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Without its traits: neither swift-configuration nor full Foundation is compiled.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    ],
    targets: [
        // C libraries: a module map and a shim each, imported by exactly one Swift target.
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "CMessagePack"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CLibCrypto"),

        // Compute.
        .target(name: "CSinewKernels", cSettings: [.headerSearchPath(".")]),
        .target(name: "SinewKernels", dependencies: ["CSinewKernels"], swiftSettings: strictWithLifetimes),
        .target(name: "SinewArrayFiles", dependencies: ["CZlib", "CLibCrypto"], swiftSettings: strict),
        .target(
            name: "SinewBody", dependencies: ["SinewArrayFiles"], resources: [.copy("Resources/bodies")],
            swiftSettings: strict),
        .target(
            name: "SinewModels", dependencies: ["SinewKernels", "SinewBody", "SinewArrayFiles"],
            resources: [.copy("Resources/models"), .copy("Resources/priors")], swiftSettings: strict),
        // Files of other people's Python programs; only the command line sees this.
        .target(
            name: "SinewImport", dependencies: ["SinewArrayFiles", "SinewBody", "SinewModels"], swiftSettings: strict),
        .target(name: "SinewFormats", dependencies: ["SinewArrayFiles", "SinewBody"], swiftSettings: strict),
        .target(
            name: "SinewPictures", dependencies: ["SinewFormats", "SinewBody", "SinewArrayFiles"],
            resources: [.copy("Resources/viewer")], swiftSettings: strict),

        // Wire and transport.
        .target(name: "SinewMessagePack", dependencies: ["CMessagePack"], swiftSettings: strict),
        .target(name: "SinewWire", dependencies: ["SinewMessagePack"], swiftSettings: strict),
        .target(name: "SinewZeroMQ", dependencies: ["CZeroMQ"], swiftSettings: strict),

        // Decisions (no sockets, clocks, threads) and the runtimes that carry them out.
        .target(name: "SinewCore", dependencies: [deque, heap, orderedCollections], swiftSettings: strict),
        // What is counted, and how it is told to Prometheus; no sockets and no HTTP.
        .target(name: "SinewMetrics", dependencies: ["SinewCore", "SinewWire", metrics], swiftSettings: strict),
        .target(name: "SinewJobStore", dependencies: ["SinewCore", "SinewArrayFiles", grdb], swiftSettings: strict),
        .target(
            name: "SinewBroker",
            dependencies: [
                "SinewCore", "SinewJobStore", "SinewMetrics", "SinewWire", "SinewZeroMQ", "SinewArrayFiles", deque,
                logging, metrics,
            ], swiftSettings: strict),
        .target(
            name: "SinewWorker",
            dependencies: [
                "SinewCore", "SinewMetrics", "SinewWire", "SinewZeroMQ", "SinewModels", "SinewBody", "SinewKernels",
                "SinewArrayFiles", logging, metrics,
            ],
            swiftSettings: strict),
        .target(
            name: "SinewClient", dependencies: ["SinewCore", "SinewWire", "SinewZeroMQ", "SinewArrayFiles", logging],
            swiftSettings: strict),

        // Watching: nothing else sees HTTP.
        .target(
            name: "SinewStatus",
            dependencies: [
                "SinewCore", "SinewWire", "SinewMessagePack", "SinewMetrics", "SinewArrayFiles", hummingbird, httpTypes,
                nioCore, nioPosix, serviceLifecycle, logging, grdb,
            ],
            resources: [.copy("Resources/dashboard")], swiftSettings: strict),

        // The command line.
        .target(
            name: "SinewCommands",
            dependencies: [
                "SinewBroker", "SinewWorker", "SinewClient", "SinewWire", "SinewZeroMQ", "SinewModels", "SinewBody",
                "SinewFormats", "SinewPictures", "SinewArrayFiles", "SinewImport", "SinewKernels", "SinewCore",
                "SinewMetrics", "SinewStatus", argumentParser, logging, serviceLifecycle, unixSignals,
            ],
            resources: [.copy("Resources/demo")], swiftSettings: strict),
        .executableTarget(name: "sinew", dependencies: ["SinewCommands"], swiftSettings: strict),

        // Tests.
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        // Shared with tools/fuzz.
        .target(
            name: "FuzzTargets",
            dependencies: ["SinewWire", "SinewArrayFiles", "SinewBody", "SinewImport", "SinewFormats", "SinewCore"],
            path: "Tests/FuzzTargets", swiftSettings: strict),
        .testTarget(
            name: "HostileInputTests", dependencies: ["FuzzTargets", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SinewKernelsTests", dependencies: ["SinewKernels", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SinewArrayFilesTests", dependencies: ["SinewArrayFiles", "TestSupport"],
            resources: [.copy("Fixtures")], swiftSettings: strict),
        .testTarget(
            name: "SinewBodyTests", dependencies: ["SinewBody", "SinewArrayFiles", "TestSupport"],
            resources: [.copy("Fixtures")], swiftSettings: strict),
        .testTarget(
            name: "SinewModelsTests",
            dependencies: [
                "SinewModels", "SinewKernels", "SinewBody", "SinewArrayFiles", "CAllocationCounter", "TestSupport",
            ],
            resources: [.copy("Fixtures")], swiftSettings: strict),
        .testTarget(
            name: "SinewImportTests",
            dependencies: ["SinewImport", "SinewModels", "SinewBody", "SinewArrayFiles", "TestSupport"],
            resources: [.copy("Fixtures")], swiftSettings: strict),
        .testTarget(
            name: "SinewFormatsTests", dependencies: ["SinewFormats", "SinewBody", "SinewArrayFiles", "TestSupport"],
            resources: [.copy("Fixtures")], swiftSettings: strict),
        .testTarget(
            name: "SinewPicturesTests",
            dependencies: ["SinewPictures", "SinewFormats", "SinewBody", "SinewArrayFiles", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "SinewMessagePackTests", dependencies: ["SinewMessagePack", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SinewWireTests", dependencies: ["SinewWire", "SinewMessagePack", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "SinewZeroMQTests", dependencies: ["SinewZeroMQ", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SinewClientTests",
            dependencies: ["SinewClient", "SinewWire", "SinewZeroMQ", "SinewArrayFiles", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "SinewWorkerTests",
            dependencies: [
                "SinewWorker", "SinewCore", "SinewWire", "SinewZeroMQ", "SinewModels", "SinewBody", "TestSupport",
                logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SinewMetricsTests",
            dependencies: ["SinewMetrics", "SinewCore", "SinewWire", "TestSupport", metrics],
            swiftSettings: strict),
        .testTarget(name: "SinewCoreTests", dependencies: ["SinewCore", "TestSupport"], swiftSettings: strict),
        // A storage that fails when told to, and a process that is there to be killed while it writes.
        .target(name: "CFaultyStorage", path: "Tests/CFaultyStorage", linkerSettings: [.linkedLibrary("sqlite3")]),
        .executableTarget(
            name: "JobStoreWriter", dependencies: ["SinewJobStore", "SinewCore", "SinewArrayFiles"],
            path: "Tests/JobStoreWriter",
            swiftSettings: strict),
        .testTarget(
            name: "SinewJobStoreTests",
            dependencies: [
                "SinewJobStore", "SinewCore", "SinewArrayFiles", "CFaultyStorage", "JobStoreWriter", "TestSupport",
            ], swiftSettings: strict),
        .testTarget(
            name: "SinewStatusTests",
            dependencies: [
                "SinewStatus", "SinewMetrics", "SinewCore", "SinewWire", "SinewArrayFiles", "TestSupport", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SinewBrokerTests",
            dependencies: ["SinewBroker", "SinewCore", "SinewZeroMQ", "SinewArrayFiles", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "SimulationTests", dependencies: ["SinewCore", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SinewCommandsTests",
            dependencies: [
                "SinewCommands", "SinewArrayFiles", "SinewBody", "SinewClient", "SinewFormats", "SinewModels",
                "SinewWire", "TestSupport", logging,
            ], swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "SinewBroker", "SinewWorker", "SinewClient", "SinewCore", "SinewWire", "SinewZeroMQ", "SinewModels",
                "SinewMetrics", "SinewBody", "SinewFormats", "SinewArrayFiles", "SinewCommands", "SinewStatus",
                "CFaultyStorage", "TestSupport", "sinew", logging,
            ],
            swiftSettings: strict),
    ]
)
