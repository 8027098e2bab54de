namespace NullTextResearch.Planning;

/// <summary>
/// Where the C library would place blocks of memory, and so how far its heap would grow. Freed blocks leave holes, and memory that was touched once
/// stays with the process (<see cref="Native"/> requests that, because returning memory and getting it again takes time). Large blocks come from the
/// system and return to it.
/// </summary>
internal sealed class PlannedHeap
{
    // Neighbouring holes merge unless a small live block lies between them, which the plan does not know about. Both extremes are simulated; the
    // measured peaks lie about half-way between them.
    private readonly Layout _joined = new(true),
        _apart = new(false);

    /// <summary>Largest size reached, in bytes.</summary>
    public double Peak => (_joined.Peak + _apart.Peak) / 2;

    /// <summary>Allocates a block.</summary>
    /// <returns>Its place, for <see cref="Return"/>.</returns>
    public (double Joined, double Apart) Take(double bytes) => (_joined.Take(bytes), _apart.Take(bytes));

    /// <summary>Frees a block.</summary>
    public void Return((double Joined, double Apart) place, double bytes)
    {
        _joined.Return(place.Joined, bytes);
        _apart.Return(place.Apart, bytes);
    }

    private sealed class Layout(bool joins)
    {
        // An aligned block is cut out of a larger one, so a hole only serves requests that are smaller by this much, not those of its own size.
        private const double Slack = 96;
        private const double Header = 16;
        private readonly SortedList<double, double> _holes = [];
        private double _top;
        private double _furthest;
        private double _large;

        public double Peak { get; private set; }

        /// <summary>The smallest hole that fits a block, or the end. Large blocks have no address.</summary>
        public double Take(double bytes)
        {
            if (bytes >= Native.LargeBlock)
            {
                _large += bytes;
                Peak = Math.Max(Peak, _furthest + _large);
                return 0;
            }
            int best = -1;
            for (int i = 0; i < _holes.Count; i++)
            {
                double size = _holes.Values[i];
                if (size >= bytes + Slack && (best < 0 || size < _holes.Values[best]))
                    best = i;
            }
            if (best < 0)
            {
                double end = _top;
                _top += bytes + Header;
                _furthest = Math.Max(_furthest, _top + Slack);
                Peak = Math.Max(Peak, _furthest + _large);
                return end;
            }
            double address = _holes.Keys[best],
                left = _holes.Values[best] - bytes - Header;
            _holes.RemoveAt(best);
            _holes.Add(address + bytes + Header, left);
            return address;
        }

        public void Return(double address, double bytes)
        {
            if (bytes >= Native.LargeBlock)
            {
                _large -= bytes;
                return;
            }
            double end = address + bytes + Header;
            if (joins && _holes.Remove(end, out double after))
                end += after;
            // The hole that ends where this block begins, if any.
            for (int i = _holes.Count - 1; i >= 0; i--)
            {
                if (_holes.Keys[i] > address)
                    continue;
                if (_holes.Keys[i] + _holes.Values[i] >= address)
                {
                    address = _holes.Keys[i];
                    _holes.RemoveAt(i);
                }
                break;
            }
            if (end >= _top)
                _top = address;
            else
                _holes.Add(address, end - address);
        }
    }
}
