// Status codes, error codes and the fleet's messages are part of this library's interface, so that a user imports one module.
@_exported public import SinewWire
