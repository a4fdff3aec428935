/// The version of the `sinew` command and of the services it starts.
let sinewVersion = "0.1.0"
