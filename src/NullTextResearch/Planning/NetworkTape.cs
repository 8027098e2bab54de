namespace NullTextResearch.Planning;

/// <summary>How tensors are kept while a pass is planned.</summary>
/// <param name="BytesPerNumber">Bytes of one activation.</param>
/// <param name="Gradients">Whether a backward pass to the text embedding follows, for which activations stay.</param>
/// <param name="IsCpu">Whether kernels lay out anew what they read and write, as those of a CPU do.</param>
internal sealed record TapeOptions(int BytesPerNumber, bool Gradients, bool IsCpu = true);

/// <summary>Memory behind one or more tensors.</summary>
internal sealed class PlannedBlock(long bytes)
{
    public long Bytes { get; } = bytes;

    /// <summary>Scopes and backward steps that hold it.</summary>
    public int Holders { get; set; }
}

/// <summary>A tensor [rows, channels, height, width] that exists in the plan only.</summary>
internal sealed record Planned(PlannedBlock Block, long Rows, long Channels, long Height, long Width, bool NeedsGradient)
{
    public long Count => Rows * Channels * Height * Width;
}

/// <summary>
/// A pass through a network without the network: it is told the same operations in the same scopes, counts arithmetic, and follows which
/// tensors are alive, those included that automatic differentiation keeps for the way back.
/// </summary>
internal sealed class NetworkTape
{
    private readonly TapeOptions _options;
    private readonly List<NetworkOperation> _operations = [];
    private readonly Stack<List<Planned>> _scopes = new();
    private readonly Stack<Node> _nodes = new();
    private readonly Dictionary<Planned, PlannedBlock> _gradients = new(ReferenceEqualityComparer.Instance);

    public NetworkTape(TapeOptions options)
    {
        _options = options;
        _scopes.Push([]);
    }

    /// <summary>Convolutions, linear layers and attentions, in their order.</summary>
    public IReadOnlyList<NetworkOperation> Operations => _operations;

    /// <summary>Bytes alive now.</summary>
    public long Live { get; private set; }

    /// <summary>Most bytes alive at one time.</summary>
    public long Peak { get; private set; }

    /// <summary>A tensor that somebody else owns and keeps.</summary>
    public static Planned Given(long rows, long channels, long height, long width, bool needsGradient = false) =>
        new(new PlannedBlock(0) { Holders = 1 }, rows, channels, height, width, needsGradient);

    /// <summary>Runs a part in a scope of its own; its result moves to the scope around it.</summary>
    public Planned Scoped(Func<Planned> body)
    {
        _scopes.Push([]);
        Planned result = body();
        List<Planned> ending = _scopes.Pop();
        bool moved = false;
        foreach (Planned tensor in ending)
        {
            if (!moved && ReferenceEquals(tensor, result)) moved = true;
            else Release(tensor.Block);
        }
        if (moved) _scopes.Peek().Add(result);
        return result;
    }

    public Planned Convolution(Planned x, string path, long to, int kernel = 3, int stride = 1, int padding = 1)
    {
        OperationShape shape = new() { Kind = WorkKind.Convolution, Rows = x.Rows, From = x.Channels, To = to, Height = x.Height, Width = x.Width, Kernel = kernel, Stride = stride, Padding = padding };
        _operations.Add(new NetworkOperation(path, shape, x.NeedsGradient));
        long weights = x.Channels * to * kernel * kernel * _options.BytesPerNumber;
        Planned y = Make(x.Rows, to, shape.HeightOut, shape.WidthOut, x.NeedsGradient);
        // The kernel reads and writes blocked layouts: copies of input, weights and output stand beside them while it runs.
        long scratch = _options.IsCpu ? Bytes(x.Count) + Bytes(y.Count) + weights : 0;
        Touch(scratch);
        Record(y, [x], [x.Block], scratch);
        return y;
    }

    public Planned Linear(Planned x, string path, long to)
    {
        _operations.Add(new NetworkOperation(path, new OperationShape { Kind = WorkKind.Linear, Rows = x.Rows, From = x.Channels, To = to, Width = x.Height * x.Width }, x.NeedsGradient));
        Planned y = Make(x.Rows, to, x.Height, x.Width, x.NeedsGradient);
        // With frozen weights the product needs its input no more.
        Record(y, [x], [], 0);
        return y;
    }

    /// <summary>Attention of queries to keys and values.</summary>
    public Planned Attention(Planned query, Planned key, Planned value, string path, bool self, int heads, bool makesMaps)
    {
        long queries = query.Height * query.Width, keys = key.Height * key.Width;
        bool gradient = query.NeedsGradient || key.NeedsGradient || value.NeedsGradient;
        _operations.Add(new NetworkOperation(
            path,
            new OperationShape { Kind = self ? WorkKind.SelfAttention : WorkKind.CrossAttention, Rows = query.Rows, From = query.Channels, To = query.Channels, Width = queries, Keys = keys, Heads = heads },
            gradient));
        if (!makesMaps)
        {
            Planned fused = Make(query.Rows, query.Channels, query.Height, query.Width, gradient);
            Record(fused, [query, key, value], [query.Block, key.Block, value.Block, fused.Block], 0);
            return fused;
        }

        // Scaled queries, the heads side by side in memory, scores, softmax, product.
        Planned q = Pointwise([query], savesInputs: false);
        Planned k = Pointwise([key], savesInputs: false), v = Pointwise([value], savesInputs: false);
        Planned scores = Make(query.Rows, heads * keys, query.Height, query.Width, gradient);
        Record(scores, [q, k], [q.Block, k.Block], 0);
        Planned map = Make(query.Rows, heads * keys, query.Height, query.Width, gradient);
        Record(map, [scores], [map.Block], 0);
        Planned y = Make(query.Rows, query.Channels, query.Height, query.Width, gradient);
        Record(y, [map, v], [map.Block, v.Block], 0);
        return y;
    }

    /// <summary>A new tensor of the first input's shape.</summary>
    public Planned Pointwise(IReadOnlyList<Planned> inputs, bool savesInputs)
    {
        Planned like = inputs[0];
        Planned y = Make(like.Rows, like.Channels, like.Height, like.Width, inputs.Any(i => i.NeedsGradient));
        Record(y, inputs, savesInputs ? [.. inputs.Select(i => i.Block)] : [], 0);
        return y;
    }

    /// <summary>Normalisation and activation functions: they keep their input for the way back.</summary>
    public Planned Function(Planned x) => Pointwise([x], savesInputs: true);

    public Planned Add(Planned a, Planned b) => Pointwise([a, b], savesInputs: false);

    /// <summary>A tensor of another shape in memory of its own.</summary>
    public Planned Copy(Planned x, long channels, long height, long width)
    {
        Planned y = Make(x.Rows, channels, height, width, x.NeedsGradient);
        Record(y, [x], [], 0);
        return y;
    }

    public Planned Concatenate(Planned a, Planned b)
    {
        Planned y = Make(a.Rows, a.Channels + b.Channels, a.Height, a.Width, a.NeedsGradient || b.NeedsGradient);
        Record(y, [a, b], [], 0);
        return y;
    }

    /// <summary>The gated half of a feed-forward layer: gate and value share memory, the gate passes through a function, both are multiplied.</summary>
    public Planned Gate(Planned both)
    {
        Planned function = Make(both.Rows, both.Channels / 2, both.Height, both.Width, both.NeedsGradient);
        Record(function, [both], [both.Block], 0);
        Planned y = Make(both.Rows, both.Channels / 2, both.Height, both.Width, both.NeedsGradient);
        Record(y, [both, function], [both.Block, function.Block], 0);
        return y;
    }

    /// <summary>The way back from an output to the text embedding, freeing as it goes.</summary>
    public void Backward(Planned output)
    {
        if (!output.NeedsGradient) return;
        _gradients[output] = Hold(new PlannedBlock(Bytes(output.Count)));
        while (_nodes.TryPop(out Node? node))
        {
            if (_gradients.Remove(node.Output, out PlannedBlock? arriving))
            {
                foreach (Planned input in node.Inputs.Where(i => i.NeedsGradient))
                {
                    PlannedBlock leaving = Hold(new PlannedBlock(Bytes(input.Count)));
                    Touch(node.Scratch);
                    // A second gradient is added to the first, in its place.
                    if (_gradients.TryAdd(input, leaving)) continue;
                    Release(leaving);
                }
                Release(arriving);
            }
            foreach (PlannedBlock saved in node.Saved) Release(saved);
        }
        foreach (PlannedBlock left in _gradients.Values) Release(left);
        _gradients.Clear();
    }

    /// <summary>Memory that lives only while one kernel runs.</summary>
    public void Touch(long bytes) => Peak = Math.Max(Peak, Live + bytes);

    public Planned Make(long rows, long channels, long height, long width, bool needsGradient)
    {
        Planned made = new(new PlannedBlock(Bytes(rows * channels * height * width)), rows, channels, height, width, needsGradient && _options.Gradients);
        Hold(made.Block);
        _scopes.Peek().Add(made);
        return made;
    }

    private void Record(Planned output, IReadOnlyList<Planned> inputs, IReadOnlyList<PlannedBlock> saved, long scratch)
    {
        if (!output.NeedsGradient) return;
        foreach (PlannedBlock block in saved) Hold(block);
        _nodes.Push(new Node(output, inputs, saved, scratch));
    }

    private PlannedBlock Hold(PlannedBlock block)
    {
        if (block.Holders++ == 0)
        {
            Live += block.Bytes;
            Peak = Math.Max(Peak, Live);
        }
        return block;
    }

    private void Release(PlannedBlock block)
    {
        if (--block.Holders == 0) Live -= block.Bytes;
    }

    private long Bytes(long count) => count * _options.BytesPerNumber;

    private sealed record Node(Planned Output, IReadOnlyList<Planned> Inputs, IReadOnlyList<PlannedBlock> Saved, long Scratch);
}
