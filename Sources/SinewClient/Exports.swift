// Status codes, error codes and the fleet's messages are part of this library's interface, so that a user imports one module.
@_exported public import SinewWire
// The keys of a connection are part of its configuration.
@_exported public import struct SinewZeroMQ.CurveClientKeys
@_exported public import struct SinewZeroMQ.CurveKeyPair
@_exported public import struct SinewZeroMQ.CurvePublicKey
