// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "SinewBenchmarks",
    dependencies: [.package(name: "sinew", path: "..")],
    targets: [
        .target(name: "CPeak"),
        .executableTarget(
            name: "PoseBenchmark",
            dependencies: [
                "CPeak", .product(name: "SinewModels", package: "sinew"), .product(name: "SinewBody", package: "sinew"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)]),
    ]
)
