import SinewArrayFiles
import SinewBody
import SinewFormats
import SinewImport

func fuzzPickle(_ bytes: [UInt8]) {
    guard let document = try? PickleDocument(reading: bytes, name: "fuzz.pkl") else { return }
    for entry in (document.entries(document.root) ?? []).prefix(64) {
        _ = document.text(entry.key)
        _ = try? document.array(entry.value, what: "an entry")
    }
    for element in (document.sequence(document.root) ?? []).prefix(64) {
        _ = try? document.array(element, what: "an element")
    }
}

func fuzzTorch(_ bytes: [UInt8]) {
    guard let file = try? TorchFile(bytes: bytes, path: "fuzz.pth") else { return }
    for entry in (file.document.entries(file.document.root) ?? []).prefix(64) where file.isTensor(entry.value) {
        guard let tensor = try? file.tensor(entry.value, name: "a tensor") else { continue }
        precondition(tensor.shape.reduce(1, *) <= 1 << 30, "a tensor larger than any file here")
    }
}

func fuzzNPZ(_ bytes: [UInt8]) {
    guard let file = try? NPZFile(bytes: bytes, path: "fuzz.npz") else { return }
    for name in file.names.prefix(64) {
        precondition(file.contains(name), "a member is listed and not there")
        guard let array = try? file.array(name) else { continue }
        precondition(array.shape.allSatisfy { $0 >= 0 }, "an extent is negative")
    }
}

func fuzzSafetensors(_ bytes: [UInt8]) {
    guard let file = try? SafetensorsFile(bytes: bytes, path: "fuzz.safetensors") else { return }
    for name in file.names.prefix(64) {
        precondition(file.contains(name), "a tensor is listed and not there")
        _ = try? file.tensor(name)
    }
}

func fuzzJSON(_ bytes: [UInt8]) {
    guard let value = try? JSONValue.parse(bytes[...], name: "fuzz.json") else { return }
    let text = value.encoded()
    guard let again = try? JSONValue.parse(Array(text.utf8)[...], name: "fuzz.json") else {
        preconditionFailure("JSON we wrote is refused")
    }
    precondition(again.encoded() == text, "JSON changes by being written")
}

func fuzzGLTF(_ bytes: [UInt8]) {
    // A buffer of its own name beside it is not there.
    guard let clip = try? RigClip.read(bytes, path: "fuzz.glb") else { return }
    guard let again = try? RigClip.read(clip.encoded(for: "fuzz.glb"), path: "fuzz.glb") else {
        preconditionFailure("a rig we wrote is refused")
    }
    precondition(again.rig.joints.count == clip.rig.joints.count, "a rig has other joints after being written")
    precondition(again.frames.count == clip.frames.count, "a motion has other frames after being written")
}

func fuzzPoses(_ bytes: [UInt8]) {
    // Whatever the content is taken for; skeletons and buffers beside it are not there.
    guard let input = try? PoseInput.read(bytes, path: "nowhere/fuzz.any") else { return }
    precondition(input.count > 0 && input.joints.count == input.count * 87, "rows and joints differ")
    precondition(input.joints.allSatisfy(\.isFinite), "a joint that is no number was let through")
    precondition(input.tracks.allSatisfy(input.trackNames.indices.contains), "a row belongs to nobody")
}
