using System.Reflection;

namespace NullTextResearch.Kernel.Engine;

/// <summary>Type names as written in code.</summary>
internal static class TypeNames
{
    /// <summary>The name as a C# programmer writes it, without namespaces; for messages.</summary>
    public static string CSharp(Type type)
    {
        if (type.IsArray)
            return $"{CSharp(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return CSharp(inner) + "?";
        if (type.IsGenericType)
            return $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(CSharp))}>";
        return type.Name switch
        {
            "Int32" => "int",
            "Int64" => "long",
            "Single" => "float",
            "Double" => "double",
            "Boolean" => "bool",
            "String" => "string",
            "Object" => "object",
            string other => other,
        };
    }

    /// <summary>The name that is valid anywhere in C# code; null if there is none: the type is not public, has no name, or is in no assembly file.</summary>
    public static string? CSharpDeclaration(Type type) =>
        Declaration(type, "global::", ", ", static (element, rank) => $"{element}[{new string(',', rank - 1)}]");

    /// <summary>The same for F#, which has other names for some types of its library.</summary>
    public static string? FSharpDeclaration(Type type)
    {
        if (type.IsGenericType && !type.IsGenericTypeDefinition && type.Namespace?.StartsWith("Microsoft.FSharp.", StringComparison.Ordinal) == true)
        {
            string?[] arguments = [.. type.GetGenericArguments().Select(FSharpDeclaration)];
            if (arguments.Any(a => a is null))
                return null;
            string list = string.Join(", ", arguments);
            return type.GetGenericTypeDefinition().FullName switch
            {
                "Microsoft.FSharp.Core.FSharpFunc`2" => $"({arguments[0]} -> {arguments[1]})",
                "Microsoft.FSharp.Collections.FSharpList`1" => $"list<{list}>",
                "Microsoft.FSharp.Core.FSharpOption`1" => $"option<{list}>",
                "Microsoft.FSharp.Core.FSharpValueOption`1" => $"voption<{list}>",
                "Microsoft.FSharp.Collections.FSharpMap`2" => $"Map<{list}>",
                "Microsoft.FSharp.Collections.FSharpSet`1" => $"Set<{list}>",
                "Microsoft.FSharp.Control.FSharpAsync`1" => $"Async<{list}>",
                _ => null,
            };
        }

        if (type.FullName == "Microsoft.FSharp.Core.Unit")
            return "unit";
        return Declaration(type, "global.", ", ", static (element, rank) => $"({element})[{new string(',', rank - 1)}]", FSharpDeclaration);
    }

    /// <summary>The assemblies that a type and its parts come from.</summary>
    public static IEnumerable<Assembly> Assemblies(Type type)
    {
        if (type.HasElementType)
            return Assemblies(type.GetElementType()!);
        IEnumerable<Type> all = [type, .. type.IsGenericType ? type.GetGenericArguments() : []];
        return all.SelectMany(t => t == type ? [t.Assembly] : Assemblies(t)).Distinct();
    }

    /// <summary>Whether code of another assembly can use a type: it and its parts are public and are in assembly files.</summary>
    public static bool IsReachable(Type type) =>
        type.HasElementType
            ? !type.IsPointer && !type.IsByRef && IsReachable(type.GetElementType()!)
            : type.IsVisible
                && !type.IsByRefLike
                && !type.IsGenericParameter
                && type.Assembly.Location.Length > 0
                && (!type.IsGenericType || type.GetGenericArguments().All(IsReachable));

    private static string? Declaration(Type type, string root, string comma, Func<string, int, string> array, Func<Type, string?>? again = null)
    {
        again ??= t => Declaration(t, root, comma, array);
        if (type.IsArray)
            return again(type.GetElementType()!) is { } element ? array(element, type.GetArrayRank()) : null;
        if (!IsReachable(type) || type.FullName is null)
            return null;
        string?[] arguments = type.IsGenericType ? [.. type.GetGenericArguments().Select(again)] : [];
        if (arguments.Any(a => a is null))
            return null;
        // For types nested in generic ones, the arguments are spread over the names, outermost first.
        Stack<Type> chain = [];
        for (Type? t = type; t is not null; t = t.DeclaringType)
            chain.Push(t);
        string text = root + (type.Namespace is { Length: > 0 } space ? space + "." : "");
        int used = 0;
        foreach (Type t in chain)
        {
            int own = t.GetGenericArguments().Length - used;
            text += t.Name.Split('`')[0] + (own > 0 ? $"<{string.Join(comma, arguments.Skip(used).Take(own))}>" : "") + ".";
            used += own;
        }

        return text[..^1];
    }
}
