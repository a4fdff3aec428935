/// Cuts a batch into blocks of nearly equal size.
///
/// Every block streams all weights through the caches, so a small remainder at the end would cost nearly as much as a full block.
internal enum RowBlocks {
    /// Rows of the widest register tile; blocks are whole multiples of it, save the last.
    private static let tile = 14

    /// The rows of each block but the last, which may have fewer.
    ///
    /// - Parameter rowsMax: the most rows that a block may have, at least one tile.
    static func rows(of count: Int, rowsMax: Int) -> Int {
        guard count > rowsMax else { return max(count, 1) }
        let blocks = (count + rowsMax - 1) / rowsMax
        let even = (count + blocks - 1) / blocks
        return min((even + tile - 1) / tile * tile, rowsMax)
    }
}
