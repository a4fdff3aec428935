/// How the rows of a batch are laid on the threads of a team, in waves that fit the workspaces.
///
/// Few rows are worked on by all members together, each on some of the outputs: then every weight is read by one core only, and
/// reading weights is what few rows wait for. Many rows are dealt out, so that nobody waits for the others between layers.
internal struct BatchPlan: Sendable, Equatable {
    /// Whether all members work on the same rows.
    let sharesRows: Bool
    /// Workspaces that hold different rows.
    let workspaces: Int
    private let count: Int
    private let rowsPerWorkspace: Int
    private let block: Int

    /// Rows of a batch that two members still take together.
    static let sharedRowsMax = 64

    /// - Parameter rowsMax: the rows of a workspace.
    init(count: Int, members: Int, rowsMax: Int) {
        self.count = count
        sharesRows = members > 1 && count <= min(rowsMax, Self.sharedRowsMax)
        workspaces = sharesRows ? 1 : members
        rowsPerWorkspace = (count + workspaces - 1) / workspaces
        block = RowBlocks.rows(of: rowsPerWorkspace, rowsMax: rowsMax)
    }

    /// How often the workspaces are filled.
    var waves: Int { (rowsPerWorkspace + block - 1) / block }

    /// The people in a workspace during a wave; may be empty.
    func rows(wave: Int, workspace: Int) -> Range<Int> {
        let end = min((workspace + 1) * rowsPerWorkspace, count)
        let start = min(workspace * rowsPerWorkspace + wave * block, end)
        return start..<min(start + block, end)
    }
}
