using System.Net;

namespace NullTextResearch.Kernel.Running;

/// <summary>Converts the TeX that our notebooks use to MathML, which browsers draw without a library. A formula with unknown TeX stays readable TeX.</summary>
internal static class TexToMathMl
{
    private static readonly Dictionary<string, string> Letters = new()
    {
        ["alpha"] = "α",
        ["beta"] = "β",
        ["epsilon"] = "ϵ",
        ["varepsilon"] = "ε",
        ["theta"] = "θ",
        ["lambda"] = "λ",
        ["mu"] = "μ",
        ["sigma"] = "σ",
        ["pi"] = "π",
        ["psi"] = "ψ",
        ["eta"] = "η",
        ["varnothing"] = "∅",
        ["emptyset"] = "∅",
        ["infty"] = "∞",
        ["ell"] = "ℓ",
        ["nabla"] = "∇",
        ["partial"] = "∂",
        ["ldots"] = "…",
        ["dots"] = "…",
        ["cdots"] = "⋯",
    };

    private static readonly Dictionary<string, string> Operators = new()
    {
        ["cdot"] = "⋅",
        ["times"] = "×",
        ["le"] = "≤",
        ["leq"] = "≤",
        ["ge"] = "≥",
        ["geq"] = "≥",
        ["neq"] = "≠",
        ["ne"] = "≠",
        ["approx"] = "≈",
        ["sim"] = "∼",
        ["to"] = "→",
        ["rightarrow"] = "→",
        ["leftarrow"] = "←",
        ["in"] = "∈",
        ["sum"] = "∑",
        ["prod"] = "∏",
        ["pm"] = "±",
        ["lVert"] = "‖",
        ["rVert"] = "‖",
        ["|"] = "‖",
        ["{"] = "{",
        ["}"] = "}",
        ["odot"] = "⊙",
        ["cup"] = "∪",
        ["mid"] = "|",
        ["colon"] = ":",
        ["log"] = "log",
        ["ln"] = "ln",
        ["min"] = "min",
        ["max"] = "max",
        ["arg"] = "arg",
    };

    // Widths in em. Parentheses stretch by themselves, so \left and \right do nothing.
    private static readonly Dictionary<string, string> Spaces = new()
    {
        ["quad"] = "1",
        [","] = "0.17",
        [":"] = "0.22",
        [";"] = "0.28",
        ["!"] = "-0.17",
        ["left"] = "",
        ["right"] = "",
    };

    public static string Convert(string tex, bool block)
    {
        try
        {
            int at = 0;
            string row = Row(tex, ref at, '\0');
            return $"<math display=\"{(block ? "block" : "inline")}\">{row}</math>";
        }
        catch (FormatException)
        {
            return $"<code>{WebUtility.HtmlEncode(tex)}</code>";
        }
    }

    private static string Row(string tex, ref int at, char end)
    {
        List<string> items = [];
        while (true)
        {
            while (at < tex.Length && char.IsWhiteSpace(tex[at]))
                at++;
            if (at >= tex.Length)
            {
                if (end != '\0')
                    throw new FormatException();
                break;
            }

            if (tex[at] == end)
            {
                at++;
                break;
            }

            if (tex[at] is '_' or '^')
            {
                if (items.Count == 0)
                    throw new FormatException();
                string sub = "",
                    sup = "";
                while (at < tex.Length && tex[at] is '_' or '^')
                {
                    bool below = tex[at++] == '_';
                    string item = Item(tex, ref at);
                    if (below)
                        sub = item;
                    else
                        sup = item;
                }

                string basis = items[^1];
                items[^1] = (sub, sup) switch
                {
                    ({ Length: > 0 }, { Length: > 0 }) => $"<msubsup>{basis}{sub}{sup}</msubsup>",
                    ({ Length: > 0 }, _) => $"<msub>{basis}{sub}</msub>",
                    _ => $"<msup>{basis}{sup}</msup>",
                };
                continue;
            }

            items.Add(Item(tex, ref at));
        }

        return $"<mrow>{string.Concat(items)}</mrow>";
    }

    private static string Item(string tex, ref int at)
    {
        while (at < tex.Length && char.IsWhiteSpace(tex[at]))
            at++;
        if (at >= tex.Length)
            throw new FormatException();
        char c = tex[at++];
        if (c == '{')
            return Row(tex, ref at, '}');
        if (char.IsAsciiDigit(c))
        {
            int start = at - 1;
            while (at < tex.Length && (char.IsAsciiDigit(tex[at]) || (tex[at] == '.' && at + 1 < tex.Length && char.IsAsciiDigit(tex[at + 1]))))
                at++;
            return $"<mn>{tex[start..at]}</mn>";
        }

        if (c == '\\')
            return Command(tex, ref at);
        if (char.IsLetter(c))
            return $"<mi>{c}</mi>";
        return c == '*' ? "<mo>∗</mo>"
            : c == '-' ? "<mo>−</mo>"
            : $"<mo>{WebUtility.HtmlEncode(c.ToString())}</mo>";
    }

    private static string Command(string tex, ref int at)
    {
        int start = at;
        while (at < tex.Length && char.IsAsciiLetter(tex[at]))
            at++;
        if (at == start)
            at++;
        string name = tex[start..Math.Min(at, tex.Length)];
        switch (name)
        {
            case "frac" or "tfrac":
                return $"<mfrac>{Item(tex, ref at)}{Item(tex, ref at)}</mfrac>";
            case "sqrt":
                return $"<msqrt>{Item(tex, ref at)}</msqrt>";
            case "bar" or "overline":
                return $"<mover accent=\"true\">{Item(tex, ref at)}<mo>¯</mo></mover>";
            case "tilde":
                return $"<mover accent=\"true\">{Item(tex, ref at)}<mo>~</mo></mover>";
            case "hat":
                return $"<mover accent=\"true\">{Item(tex, ref at)}<mo>^</mo></mover>";
            case "text" or "mathrm" or "operatorname":
                return $"<mtext>{WebUtility.HtmlEncode(Braced(tex, ref at))}</mtext>";
            case "mathcal":
                return $"<mi mathvariant=\"script\">{WebUtility.HtmlEncode(Braced(tex, ref at))}</mi>";
        }

        if (Spaces.TryGetValue(name, out string? width))
            return width.Length == 0 ? "" : $"<mspace width=\"{width}em\"/>";
        if (Letters.TryGetValue(name, out string? letter))
            return $"<mi>{letter}</mi>";
        return Operators.TryGetValue(name, out string? sign) ? $"<mo>{sign}</mo>" : throw new FormatException();
    }

    private static string Braced(string tex, ref int at)
    {
        int close = at < tex.Length && tex[at] == '{' ? tex.IndexOf('}', at) : -1;
        if (close < 0)
            throw new FormatException();
        string inside = tex[(at + 1)..close];
        at = close + 1;
        return inside;
    }
}
