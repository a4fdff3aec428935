internal import SinewKernels

/// Copies between row-major vectors and the even and odd halves of a workspace.
internal enum Halves {
    /// Writes the values `from.start..<from.start + count` of each person to the dimensions from `dimension` on.
    static func scatter(
        _ source: Span<Float>, firstPerson: Int, sourceStride: Int, sourceStart: Int = 0, count: Int,
        dimension: Int = 0,
        rows: Int, into workspace: FlowWorkspace
    ) {
        precondition(dimension % 2 == 0 && count % 2 == 0)
        scatter(
            source, firstPerson: firstPerson, sourceStride: sourceStride, sourceStart: sourceStart, count: count,
            dimension: dimension, rows: rows, even: workspace.even, odd: workspace.odd, stride: workspace.halfStride)
    }

    private static func scatter(
        _ source: Span<Float>, firstPerson: Int, sourceStride: Int, sourceStart: Int, count: Int, dimension: Int,
        rows: Int, even: SharedBuffer, odd: SharedBuffer, stride: Int
    ) {
        var even = even.mutableSpan
        var odd = odd.mutableSpan
        for row in 0..<rows {
            let from = (firstPerson + row) * sourceStride + sourceStart
            let to = row * stride + dimension / 2
            for pair in 0..<(count / 2) {
                even[to + pair] = source[from + 2 * pair]
                odd[to + pair] = source[from + 2 * pair + 1]
            }
        }
    }

    /// Writes the betas behind both halves, where the first layers of couplings with an open shape gate look for them.
    ///
    /// - Parameter half: values of a half of the flow that sees them.
    static func appendBetas(_ betas: Span<Float>, firstPerson: Int, half: Int, rows: Int, to workspace: FlowWorkspace) {
        let count = FlowWorkspace.betaCount
        let (evenHalf, oddHalf) = (workspace.even, workspace.odd)
        var even = evenHalf.mutableSpan
        var odd = oddHalf.mutableSpan
        for row in 0..<rows {
            for beta in 0..<count {
                let value = betas[(firstPerson + row) * count + beta]
                even[row * workspace.halfStride + half + beta] = value
                odd[row * workspace.halfStride + half + beta] = value
            }
        }
    }

    /// Sets the dimensions `dimension..<dimension + count` to zero.
    static func clear(dimension: Int, count: Int, rows: Int, in workspace: FlowWorkspace) {
        precondition(dimension % 2 == 0 && count % 2 == 0)
        clear(workspace.even, at: dimension / 2, count: count / 2, rows: rows, stride: workspace.halfStride)
        clear(workspace.odd, at: dimension / 2, count: count / 2, rows: rows, stride: workspace.halfStride)
    }

    private static func clear(_ buffer: SharedBuffer, at start: Int, count: Int, rows: Int, stride: Int) {
        var span = buffer.mutableSpan
        for row in 0..<rows {
            for column in start..<(start + count) { span[row * stride + column] = 0 }
        }
    }

    /// Reads the dimensions `dimension..<dimension + count` of each row into the target's rows.
    static func gather(
        _ workspace: FlowWorkspace, dimension: Int, count: Int, rows: Int, into target: inout MutableSpan<Float>,
        firstPerson: Int, targetStride: Int, targetStart: Int = 0
    ) {
        precondition(dimension % 2 == 0 && count % 2 == 0)
        gather(
            workspace.even, workspace.odd, stride: workspace.halfStride, dimension: dimension, count: count, rows: rows,
            into: &target, firstPerson: firstPerson, targetStride: targetStride, targetStart: targetStart)
    }

    private static func gather(
        _ even: SharedBuffer, _ odd: SharedBuffer, stride: Int, dimension: Int, count: Int,
        rows: Int, into target: inout MutableSpan<Float>, firstPerson: Int, targetStride: Int, targetStart: Int
    ) {
        let even = even.span
        let odd = odd.span
        for row in 0..<rows {
            let from = row * stride + dimension / 2
            let to = (firstPerson + row) * targetStride + targetStart
            for pair in 0..<(count / 2) {
                target[to + 2 * pair] = even[from + pair]
                target[to + 2 * pair + 1] = odd[from + pair]
            }
        }
    }
}
