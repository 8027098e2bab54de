namespace NullTextResearch.Planning;

/// <summary>
/// Where the C library would put blocks of memory, and so how far its heap would grow: freed blocks leave holes, and what was touched once stays
/// with the process (<see cref="Native"/> asks for that, because giving memory back and fetching it again costs time). Large blocks come from the
/// system and return to it.
/// </summary>
internal sealed class PlannedHeap
{
    // An aligned block is cut out of a larger one, so a hole serves only requests that are smaller by this much: not those of its own size.
    private const double Slack = 96;
    private const double Header = 16;
    private readonly SortedList<double, double> _holes = [];
    private double _top;
    private double _largestTop;
    private double _large;

    /// <summary>The furthest that it grew, in bytes.</summary>
    public double Peak { get; private set; }

    /// <summary>Takes a block: out of the smallest hole that it fits, or at the end.</summary>
    /// <returns>Its address; of large blocks 0.</returns>
    public double Take(double bytes)
    {
        if (bytes >= Native.LargeBlock)
        {
            _large += bytes;
            Peak = Math.Max(Peak, _largestTop + _large);
            return 0;
        }
        int best = -1;
        for (int i = 0; i < _holes.Count; i++)
        {
            double size = _holes.Values[i];
            if (size >= bytes + Slack && (best < 0 || size < _holes.Values[best])) best = i;
        }
        if (best < 0)
        {
            double end = _top;
            _top += bytes + Header;
            _largestTop = Math.Max(_largestTop, _top + Slack);
            Peak = Math.Max(Peak, _largestTop + _large);
            return end;
        }
        double address = _holes.Keys[best], left = _holes.Values[best] - bytes - Header;
        _holes.RemoveAt(best);
        _holes.Add(address + bytes + Header, left);
        return address;
    }

    /// <summary>Gives a block back; neighbouring holes become one.</summary>
    public void Return(double address, double bytes)
    {
        if (bytes >= Native.LargeBlock)
        {
            _large -= bytes;
            return;
        }
        double end = address + bytes + Header;
        if (_holes.TryGetValue(end, out double after))
        {
            _holes.Remove(end);
            end += after;
        }
        // The hole that ends where this block begins, if there is one.
        for (int i = _holes.Count - 1; i >= 0; i--)
        {
            if (_holes.Keys[i] > address) continue;
            if (_holes.Keys[i] + _holes.Values[i] >= address)
            {
                address = _holes.Keys[i];
                _holes.RemoveAt(i);
            }
            break;
        }
        if (end >= _top) _top = address;
        else _holes.Add(address, end - address);
    }
}
