namespace NullTextResearch.Planning;

/// <summary>
/// Where the C library would put blocks of memory, and so how far its heap would grow: freed blocks leave holes, and what was touched once stays
/// with the process (<see cref="Native"/> asks for that, because giving memory back and fetching it again costs time). Large blocks come from the
/// system and return to it.
/// </summary>
internal sealed class PlannedHeap
{
    // Neighbouring holes become one unless something small that is still alive lies between them, of which the plan knows nothing. Both extremes are
    // laid out, and the measured peaks lie about half-way between.
    private readonly Layout _joined = new(true),
        _apart = new(false);

    /// <summary>The furthest that it grew, in bytes.</summary>
    public double Peak => (_joined.Peak + _apart.Peak) / 2;

    /// <summary>Takes a block.</summary>
    /// <returns>Its place, for <see cref="Return"/>.</returns>
    public (double Joined, double Apart) Take(double bytes) => (_joined.Take(bytes), _apart.Take(bytes));

    /// <summary>Gives a block back.</summary>
    public void Return((double Joined, double Apart) place, double bytes)
    {
        _joined.Return(place.Joined, bytes);
        _apart.Return(place.Apart, bytes);
    }

    private sealed class Layout(bool joins)
    {
        // An aligned block is cut out of a larger one, so a hole serves only requests that are smaller by this much: not those of its own size.
        private const double Slack = 96;
        private const double Header = 16;
        private readonly SortedList<double, double> _holes = [];
        private double _top;
        private double _furthest;
        private double _large;

        public double Peak { get; private set; }

        /// <summary>The smallest hole that a block fits into, or the end. Large blocks have no address.</summary>
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
            // The hole that ends where this block begins, if there is one.
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
