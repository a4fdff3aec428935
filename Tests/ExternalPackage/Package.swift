// swift-tools-version: 6.2
import PackageDescription

// A package of its own, as a user's would be: it sees only what Sinew's library products make public.
let package = Package(
    name: "external",
    dependencies: [.package(name: "sinew", path: "../..")],
    targets: [
        .executableTarget(
            name: "SolveFromOutside", dependencies: [.product(name: "SinewClient", package: "sinew")],
            swiftSettings: [
                .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
            ])
    ]
)
