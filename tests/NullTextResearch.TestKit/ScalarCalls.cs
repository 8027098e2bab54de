using System.Reflection;
using System.Reflection.Emit;
using TorchSharp;

namespace NullTextResearch.TestKit;

/// <summary>
/// Finds calls that hand a number to TorchSharp as a scalar that nothing keeps alive: a garbage collection may free it before the native call reads it.
/// </summary>
public static class ScalarCalls
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
    private static readonly Dictionary<ushort, OpCode> Codes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!)
        .ToDictionary(code => unchecked((ushort)code.Value));

    /// <summary>"Type.Method: called" for each of them in an assembly, in order.</summary>
    public static IReadOnlyList<string> In(Assembly assembly) => [.. assembly.GetTypes().SelectMany(In).Order(StringComparer.Ordinal)];

    /// <summary>As <see cref="In(Assembly)"/>, those alone whose number is made inside TorchSharp, where nobody outside can keep it alive.</summary>
    public static IReadOnlyList<string> Hidden(Assembly assembly) =>
        [.. assembly.GetTypes().SelectMany(t => Found(t, c => !IsConversion(c) && MakesScalar(c))).Order(StringComparer.Ordinal)];

    /// <summary>Those of one type.</summary>
    public static IEnumerable<string> In(Type type) => Found(type, MakesScalar);

    private static IEnumerable<string> Found(Type type, Func<MethodBase, bool> isMeant) =>
        from method in type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All))
        from called in Calls(method)
        where isMeant(called)
        select $"{type.FullName}.{method.Name}: {called.DeclaringType?.Name}.{called.Name}";

    // A conversion to a scalar in our code, or a function of TorchSharp that makes one within.
    private static bool MakesScalar(MethodBase called) => IsConversion(called) || MakersWithin.Value.Contains((called.Module, called.MetadataToken));

    private static bool IsConversion(MethodBase called) =>
        called.DeclaringType?.Assembly == typeof(Scalar).Assembly && called is MethodInfo method && method.ReturnType == typeof(Scalar);

    // Everything in TorchSharp that converts a number to a scalar, or calls what does.
    private static readonly Lazy<HashSet<(Module, int)>> MakersWithin = new(() =>
    {
        MethodBase[] methods =
        [
            .. typeof(Scalar).Assembly.GetTypes().Where(t => t != typeof(Scalar)).SelectMany(t => t.GetMethods(All).Concat<MethodBase>(t.GetConstructors(All))),
        ];
        (MethodBase Method, MethodBase[] Calls)[] graph = [.. methods.Where(m => !IsConversion(m)).Select(m => (m, Calls(m).ToArray()))];
        HashSet<(Module, int)> makers = [.. graph.Where(g => g.Calls.Any(IsConversion)).Select(g => (g.Method.Module, g.Method.MetadataToken))];
        int before;
        do
        {
            before = makers.Count;
            makers.UnionWith(
                graph.Where(g => g.Calls.Any(c => makers.Contains((c.Module, c.MetadataToken)))).Select(g => (g.Method.Module, g.Method.MetadataToken))
            );
        } while (makers.Count > before);
        return makers;
    });

    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } il)
            yield break;
        Type[] typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : [];
        Type[] arguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (int at = 0; at < il.Length; )
        {
            ushort value = il[at++];
            if (value == 0xFE)
                value = (ushort)(0xFE00 | il[at++]);
            switch (Codes[value].OperandType)
            {
                case OperandType.InlineMethod:
                    if (method.Module.ResolveMethod(BitConverter.ToInt32(il, at), typeArguments, arguments) is { } called)
                        yield return called;
                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + (4 * BitConverter.ToInt32(il, at));
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    at += 1;
                    break;
                case OperandType.InlineVar:
                    at += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    at += 8;
                    break;
                default:
                    at += 4;
                    break;
            }
        }
    }
}
