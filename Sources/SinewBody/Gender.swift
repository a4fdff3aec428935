/// Which of the three body models a shape belongs to.
///
/// The numeric codes differ between toolboxes (SMPL-IK writes 0 male, 1 female, 2 neutral); we go by name.
public enum Gender: String, Sendable, CaseIterable, Hashable {
    /// The gender-neutral body.
    case neutral
    /// The female body.
    case female
    /// The male body.
    case male
}
