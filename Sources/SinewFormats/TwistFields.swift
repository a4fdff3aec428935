internal import Glibc

/// Twists as files give them: 23 angles, or 23 pairs of cosine and sine.
enum TwistFields {
    /// Below this an angle is a data set's mark for "not known" (models.md §2.7).
    private static let unknownMark: Float = -10
    /// What we write for it.
    static let unknown: Float = -999

    /// Stores the twists of `rows`; a row with a mark or with pairs of zeros has none.
    static func store(_ values: [Float], isPairs: Bool, rows: Range<Int>, into people: inout RawPeople) {
        var unknown = 0
        for (offset, row) in rows.enumerated() {
            var angles = [Float](repeating: 0, count: 23)
            var isKnown = true
            for index in 0..<23 {
                if isPairs {
                    let (cosine, sine) = (values[(offset * 23 + index) * 2], values[(offset * 23 + index) * 2 + 1])
                    angles[index] = atan2f(sine, cosine)
                    if cosine == 0, sine == 0 { isKnown = false }
                } else {
                    angles[index] = values[offset * 23 + index]
                    if angles[index] < unknownMark { isKnown = false }
                }
            }
            people.hasTwists[row] = isKnown
            if isKnown {
                people.twists.replaceSubrange((row * 23)..<(row * 23 + 23), with: angles)
            } else {
                unknown += 1
            }
        }
        if unknown > 0 {
            people.notes.append("the twists of \(unknown) rows are marked as not known and are not used")
        }
    }
}
