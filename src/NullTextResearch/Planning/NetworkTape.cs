namespace NullTextResearch.Planning;

/// <summary>How tensors are kept in a planned pass.</summary>
/// <param name="BytesPerNumber">Bytes of one activation.</param>
/// <param name="Gradients">Whether a backward pass to the text embedding follows, which needs the activations.</param>
/// <param name="IsCpu">Whether kernels reorder what they read and write, as CPU kernels do.</param>
internal sealed record TapeOptions(int BytesPerNumber, bool Gradients, bool IsCpu = true);

/// <summary>Memory behind one or more tensors.</summary>
internal sealed class PlannedBlock(double bytes)
{
    public double Bytes { get; } = bytes;

    /// <summary>Scopes and backward steps that hold it.</summary>
    public int Holders { get; set; }

    /// <summary>Its place in the heap.</summary>
    public (double Joined, double Apart) Place { get; set; }
}

/// <summary>A tensor [rows, channels, height, width] that exists only in the plan.</summary>
internal sealed record Planned(PlannedBlock Block, long Rows, long Channels, long Height, long Width, bool NeedsGradient)
{
    public double Count => (double)Rows * Channels * Height * Width;
}

/// <summary>
/// A pass through a network without the network: it receives the same operations in the same scopes, counts arithmetic, and tracks which tensors are
/// alive, including those that automatic differentiation keeps for the backward pass.
/// </summary>
internal sealed class NetworkTape
{
    private readonly TapeOptions _options;
    private readonly List<NetworkOperation> _operations = [];
    private readonly Stack<List<Planned>> _scopes = new();
    private readonly Stack<Node> _nodes = new();
    private readonly PlannedHeap _heap;
    private readonly Dictionary<Planned, PlannedBlock> _gradients = new(ReferenceEqualityComparer.Instance);

    /// <summary>An empty tape.</summary>
    /// <param name="options">How tensors are kept.</param>
    /// <param name="heap">What earlier work left behind; null for a new one.</param>
    public NetworkTape(TapeOptions options, PlannedHeap? heap = null)
    {
        _heap = heap ?? new PlannedHeap();
        _options = options;
        Gradients = options.Gradients;
        _scopes.Push([]);
    }

    /// <summary>Whether later operations are recorded for a backward pass.</summary>
    public bool Gradients { get; set; }

    /// <summary>Convolutions, linear layers and attentions, in order.</summary>
    public IReadOnlyList<NetworkOperation> Operations => _operations;

    /// <summary>Bytes alive now.</summary>
    public double Live { get; private set; }

    /// <summary>Maximum number of bytes alive at one time.</summary>
    public double Peak { get; private set; }

    /// <summary>How far a CPU's heap grows, including holes.</summary>
    public double HeapPeak => _heap.Peak;

    /// <summary>A tensor that other code owns and keeps.</summary>
    public static Planned Given(long rows, long channels, long height, long width, bool needsGradient = false) =>
        new(new PlannedBlock(0) { Holders = 1 }, rows, channels, height, width, needsGradient);

    /// <summary>A tensor that other code owns and keeps, and whose gradient is wanted.</summary>
    public static Planned Borrowed(Planned x) => Given(x.Rows, x.Channels, x.Height, x.Width, needsGradient: true);

    /// <summary>The next link of a chain; the previous one is freed.</summary>
    public Planned Then(Planned x, Func<Planned, Planned> step)
    {
        Planned y = step(x);
        Free(x);
        return y;
    }

    /// <summary>Frees a tensor before its scope ends.</summary>
    public void Free(Planned x)
    {
        foreach (List<Planned> scope in _scopes)
        {
            if (!scope.Remove(x))
                continue;
            Release(x.Block);
            return;
        }
    }

    /// <summary>Runs a part in its own scope; its result moves to the enclosing scope.</summary>
    public Planned Scoped(Func<Planned> body)
    {
        _scopes.Push([]);
        Planned result = body();
        List<Planned> ending = _scopes.Pop();
        bool moved = false;
        foreach (Planned tensor in ending)
        {
            if (!moved && ReferenceEquals(tensor, result))
                moved = true;
            else
                Release(tensor.Block);
        }
        if (moved)
            _scopes.Peek().Add(result);
        return result;
    }

    public Planned Convolution(Planned x, string path, long to, int kernel = 3, int stride = 1, int padding = 1)
    {
        OperationShape shape = new()
        {
            Kind = WorkKind.Convolution,
            Rows = x.Rows,
            From = x.Channels,
            To = to,
            Height = x.Height,
            Width = x.Width,
            Kernel = kernel,
            Stride = stride,
            Padding = padding,
        };
        _operations.Add(new NetworkOperation(path, shape, x.NeedsGradient));
        List<PlannedBlock> copies = Reorder(x.Count, (double)x.Channels * to * kernel * kernel, kernel);
        PlannedBlock? result = copies.Count == 0 ? null : Hold(new PlannedBlock(Bytes(shape.Outputs)));
        foreach (PlannedBlock copy in copies)
            Release(copy);
        Planned y = Make(x.Rows, to, shape.HeightOut, shape.WidthOut, x.NeedsGradient);
        if (result is not null)
            Release(result);
        Record(y, [x], [x.Block], new Reordered(y.Count, (double)x.Channels * to * kernel * kernel, kernel));
        return y;
    }

    public Planned Linear(Planned x, string path, long to)
    {
        _operations.Add(
            new NetworkOperation(
                path,
                new OperationShape
                {
                    Kind = WorkKind.Linear,
                    Rows = x.Rows,
                    From = x.Channels,
                    To = to,
                    Width = x.Height * x.Width,
                },
                x.NeedsGradient
            )
        );
        Planned y = Make(x.Rows, to, x.Height, x.Width, x.NeedsGradient);
        // With frozen weights, the product no longer needs its input.
        Record(y, [x], [], null);
        return y;
    }

    /// <summary>Attention of queries to keys and values.</summary>
    public Planned Attention(Planned query, Planned key, Planned value, string path, bool self, int heads, bool makesMaps)
    {
        long queries = query.Height * query.Width,
            keys = key.Height * key.Width;
        bool gradient = query.NeedsGradient || key.NeedsGradient || value.NeedsGradient;
        _operations.Add(
            new NetworkOperation(
                path,
                new OperationShape
                {
                    Kind = self ? WorkKind.SelfAttention : WorkKind.CrossAttention,
                    Rows = query.Rows,
                    From = query.Channels,
                    To = query.Channels,
                    Width = queries,
                    Keys = keys,
                    Heads = heads,
                },
                gradient
            )
        );
        if (!makesMaps)
        {
            Planned fused = Make(query.Rows, query.Channels, query.Height, query.Width, gradient);
            Record(fused, [query, key, value], [query.Block, key.Block, value.Block, fused.Block], null);
            return fused;
        }

        // Scaled queries, heads contiguous in memory, scores, softmax, product.
        Planned q = Pointwise([query], savesInputs: false);
        Planned k = Pointwise([key], savesInputs: false),
            v = Pointwise([value], savesInputs: false);
        Planned scores = Make(query.Rows, heads * keys, query.Height, query.Width, gradient);
        Record(scores, [q, k], [q.Block, k.Block], null);
        Planned map = Make(query.Rows, heads * keys, query.Height, query.Width, gradient);
        Record(map, [scores], [map.Block], null);
        Planned y = Make(query.Rows, query.Channels, query.Height, query.Width, gradient);
        Record(y, [map, v], [map.Block, v.Block], null);
        return y;
    }

    /// <summary>A new tensor of the first input's shape.</summary>
    public Planned Pointwise(IReadOnlyList<Planned> inputs, bool savesInputs)
    {
        Planned like = inputs[0];
        Planned y = Make(like.Rows, like.Channels, like.Height, like.Width, inputs.Any(i => i.NeedsGradient));
        Record(y, inputs, savesInputs ? [.. inputs.Select(i => i.Block)] : [], null);
        return y;
    }

    /// <summary>Normalisation and activation functions: they keep their input for the backward pass.</summary>
    public Planned Function(Planned x) => Pointwise([x], savesInputs: true);

    public Planned Add(Planned a, Planned b) => Pointwise([a, b], savesInputs: false);

    /// <summary>A tensor of another shape, in its own memory.</summary>
    public Planned Copy(Planned x, long channels, long height, long width)
    {
        Planned y = Make(x.Rows, channels, height, width, x.NeedsGradient);
        Record(y, [x], [], null);
        return y;
    }

    public Planned Concatenate(Planned a, Planned b)
    {
        Planned y = Make(a.Rows, a.Channels + b.Channels, a.Height, a.Width, a.NeedsGradient || b.NeedsGradient);
        Record(y, [a, b], [], null);
        return y;
    }

    /// <summary>The gated half of a feed-forward layer: gate and value share memory, the gate passes through a function, both are multiplied.</summary>
    public Planned Gate(Planned both)
    {
        Planned function = Make(both.Rows, both.Channels / 2, both.Height, both.Width, both.NeedsGradient);
        Record(function, [both], [both.Block], null);
        Planned y = Make(both.Rows, both.Channels / 2, both.Height, both.Width, both.NeedsGradient);
        Record(y, [both, function], [both.Block, function.Block], null);
        return y;
    }

    /// <summary>The backward pass from an output to the text embedding, which frees tensors on the way.</summary>
    public void Backward(Planned output)
    {
        if (!output.NeedsGradient)
            return;
        _gradients[output] = Hold(new PlannedBlock(Bytes(output.Count)));
        while (_nodes.TryPop(out Node? node))
        {
            if (_gradients.Remove(node.Output, out PlannedBlock? arriving))
            {
                foreach (Planned input in node.Inputs.Where(i => i.NeedsGradient))
                {
                    List<PlannedBlock> copies = node.Reordered is { } r ? Reorder(r.Arriving, r.Weights, r.Kernel) : [];
                    PlannedBlock? result = copies.Count == 0 ? null : Hold(new PlannedBlock(Bytes(input.Count)));
                    foreach (PlannedBlock copy in copies)
                        Release(copy);
                    PlannedBlock leaving = Hold(new PlannedBlock(Bytes(input.Count)));
                    if (result is not null)
                        Release(result);
                    // A second gradient is added to the first one in place.
                    if (_gradients.TryAdd(input, leaving))
                        continue;
                    Release(leaving);
                }
                Release(arriving);
            }
            foreach (PlannedBlock saved in node.Saved)
                Release(saved);
        }
        foreach (PlannedBlock left in _gradients.Values)
            Release(left);
        _gradients.Clear();
    }

    public Planned Make(long rows, long channels, long height, long width, bool needsGradient)
    {
        Planned made = new(new PlannedBlock(Bytes((double)rows * channels * height * width)), rows, channels, height, width, needsGradient && Gradients);
        Hold(made.Block);
        _scopes.Peek().Add(made);
        return made;
    }

    private void Record(Planned output, IReadOnlyList<Planned> inputs, IReadOnlyList<PlannedBlock> saved, Reordered? reordered)
    {
        if (!output.NeedsGradient)
            return;
        foreach (PlannedBlock block in saved)
            Hold(block);
        _nodes.Push(new Node(output, inputs, saved, reordered));
    }

    private PlannedBlock Hold(PlannedBlock block)
    {
        if (block.Holders++ == 0)
        {
            block.Place = _heap.Take(block.Bytes);
            Live += block.Bytes;
            Peak = Math.Max(Peak, Live);
        }
        return block;
    }

    private void Release(PlannedBlock block)
    {
        if (--block.Holders > 0)
            return;
        _heap.Return(block.Place, block.Bytes);
        Live -= block.Bytes;
    }

    /// <summary>
    /// CPU convolutions read blocked layouts: while they run, copies of input and weights are alive too. 1x1 convolutions read the input as it is.
    /// </summary>
    private List<PlannedBlock> Reorder(double input, double weights, int kernel) =>
        _options.IsCpu && kernel > 1 ? [Hold(new PlannedBlock(Bytes(input))), Hold(new PlannedBlock(Bytes(weights)))] : [];

    private double Bytes(double count) => count * _options.BytesPerNumber;

    /// <summary>What a convolution reorders in the backward pass.</summary>
    private sealed record Reordered(double Arriving, double Weights, int Kernel);

    private sealed record Node(Planned Output, IReadOnlyList<Planned> Inputs, IReadOnlyList<PlannedBlock> Saved, Reordered? Reordered);
}
