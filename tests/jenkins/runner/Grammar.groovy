import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.expr.ClosureExpression
import org.codehaus.groovy.ast.expr.MethodCallExpression
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer
import org.codehaus.groovy.syntax.SyntaxException

/**
 * What may stand in which block of a declarative pipeline, before anything of it is run.
 *
 * Real Jenkins knows more; what is not in this table is an error here, so that nothing is passed over.
 */
class Grammar extends CompilationCustomizer {
    static final Map<String, List<String>> BLOCKS = [
        'file': ['pipeline'],
        'pipeline': ['agent', 'options', 'parameters', 'stages', 'post'],
        'agent': ['label'],
        'options': ['skipDefaultCheckout'],
        'parameters': ['string'],
        'stages': ['stage'],
        'stage': ['options', 'steps', 'post'],
        'options of a stage': ['lock'],
        'post': Declarative.CONDITIONS,
    ]
    static final Map<String, List<String>> NEEDED = [pipeline: ['agent', 'stages'], stages: ['stage'], stage: ['steps']]
    static final List<String> ONCE = ['file', 'pipeline', 'agent', 'options', 'options of a stage', 'stage', 'post']
    private final List<String> steps
    private SourceUnit source

    Grammar(Collection<String> library) {
        super(CompilePhase.CONVERSION)
        steps = Steps.NAMES + library
    }

    void call(SourceUnit source, GeneratorContext context, ClassNode node) {
        this.source = source
        check('file', source.AST.statementBlock)
    }

    /** Checks a block by its line in the table; "steps" is one that holds steps. */
    private void check(String kind, BlockStatement block) {
        def allowed = kind == 'steps' ? steps : BLOCKS[kind]
        def found = block.statements.collect { statement ->
            def call = statement instanceof ExpressionStatement ? statement.expression : null
            if (!(call instanceof MethodCallExpression) || !call.implicitThis) {
                wrong(statement, "here stand ${allowed.join(', ')}, not '$statement.text'")
            } else if (!(call.methodAsString in allowed)) {
                wrong(statement, "there is no '$call.methodAsString' here, but ${allowed.join(', ')}")
            } else {
                inside(kind, call)
                call.methodAsString
            }
        }
        NEEDED.getOrDefault(kind, []).findAll { !(it in found) }.each { wrong(block, "there is no '$it'") }
        if (kind in ONCE && found.toSet().size() < found.size()) {
            wrong(block, "something stands twice: ${found.join(', ')}")
        }
    }

    private void inside(String kind, MethodCallExpression call) {
        def body = call.arguments.find { it instanceof ClosureExpression } as ClosureExpression
        String name = call.methodAsString
        String inner = kind in ['steps', 'post'] ? 'steps' : kind == 'stage' && name == 'options' ? 'options of a stage' : name
        if (body) {
            check(inner, body.code as BlockStatement)
        } else if (inner in BLOCKS || name == 'steps') {
            wrong(call, "'$name' needs a block")
        }
    }

    private void wrong(ASTNode where, String what) {
        source.addError(new SyntaxException(what, where))
    }
}
